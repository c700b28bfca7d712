import { demoShopSuite } from './demo-shop-suite.fixture.ts'
import { forEachProduct } from './products/for-each-product.ts'

forEachProduct((open) => demoShopSuite(open))
