import { demoShopSuite } from './demo-shop-suite.fixture.ts'
import { forEachInstallation } from './installations/for-each-installation.ts'

forEachInstallation((open) => demoShopSuite(open))
