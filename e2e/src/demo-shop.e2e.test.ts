import { demoShopSuite } from './demo-shop-suite.fixture.ts'
import { onBothWays } from './products/ways.ts'

onBothWays((open) => demoShopSuite(open))
