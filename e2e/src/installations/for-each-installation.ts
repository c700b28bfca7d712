import { describe, inject } from 'vitest'
import { cluster } from './cluster.ts'
import type { Installation, InstallationOptions } from './installation.ts'
import { standalone } from './standalone.ts'

/** Prepares an installation without starting it. */
export type OpenInstallation = (options?: InstallationOptions) => Promise<Installation>

/** Runs a suite on both kinds of installation (docs/architecture.md), on the cluster only if there are engines. */
export function forEachInstallation(suite: (open: OpenInstallation, kind: 'standalone' | 'cluster') => void): void {
  const engines = inject('engines')
  describe('standalone', () => suite(standalone, 'standalone'))
  describe.skipIf(!engines)('cluster', () => suite((options) => cluster(engines!, options), 'cluster'))
}
