import { demoShopSuite } from './demo-shop-suite.fixture.ts'
import { onBothWays } from './ways.ts'

onBothWays((open) => demoShopSuite(open))
