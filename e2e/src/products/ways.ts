import type { Engines } from '@hopper/storage/contract/engines'
import { describe, inject } from 'vitest'
import { cluster } from './cluster.ts'
import type { Product, ProductOptions } from './product.ts'
import { standalone } from './standalone.ts'

/** Makes a product; not started yet. */
export type Opens = (options?: ProductOptions) => Promise<Product>

/** Runs a suite on both ways of the product, DESIGN section 8; that of the cluster only where there are engines. */
export function onBothWays(suite: (open: Opens, way: 'standalone' | 'cluster') => void): void {
  const engines = inject('engines') as Engines | undefined
  describe('standalone', () => suite(standalone, 'standalone'))
  describe.skipIf(!engines)('cluster', () => suite((options) => cluster(engines!, options), 'cluster'))
}
