import { describe, inject } from 'vitest'
import { cluster } from './cluster.ts'
import type { Product, ProductOptions } from './product.ts'
import { standalone } from './standalone.ts'

/** Prepares a product without starting it. */
export type OpenProduct = (options?: ProductOptions) => Promise<Product>

/** Runs a suite on both kinds of the product (docs/architecture.md), on the cluster only if there are engines. */
export function forEachProduct(suite: (open: OpenProduct, kind: 'standalone' | 'cluster') => void): void {
  const engines = inject('engines')
  describe('standalone', () => suite(standalone, 'standalone'))
  describe.skipIf(!engines)('cluster', () => suite((options) => cluster(engines!, options), 'cluster'))
}
