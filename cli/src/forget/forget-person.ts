import { setTimeout as pause } from 'node:timers/promises'
import type { AggregatorLogger } from '@hopper/aggregator'
import { forgetReport, type Forget, type ForgetReport, type ForgottenKind } from '@hopper/contracts'
import { requestForget, type Storage } from '@hopper/storage'
import { isCluster, type InstallationConfig } from '../installation/open-installation.ts'
import { CHECK_MS, ownAggregator } from '../installation/own-aggregator.ts'

/** Receives the progress. */
export interface ForgetProgress {
  readonly logger: AggregatorLogger
  readonly progress: (report: ForgetReport) => void
}

/**
 * Forgets a person and returns the certificate. In a cluster the aggregators do the work; for a data directory this
 * process does it, including unfinished work of other requests.
 */
export async function forgetPerson(
  storage: Storage,
  config: Pick<InstallationConfig, 'kafkaBrokers' | 'cassandraContactPoints'>,
  who: { readonly app: string; readonly kind: ForgottenKind; readonly person: string },
  { logger, progress }: ForgetProgress,
): Promise<ForgetReport> {
  const forget = await requestForget(storage, { ...who, requestedAt: Date.now() })
  const aggregator = isCluster(config as InstallationConfig)
    ? undefined
    : ownAggregator(storage, { owner: `forget-${process.pid}`, logger })
  await aggregator?.start()
  try {
    for (;;) {
      const report = await reportOf(storage, forget)
      if (report.state === 'done') return report
      progress(report)
      await pause(CHECK_MS)
    }
  } finally {
    await aggregator?.close()
  }
}

async function reportOf({ registry }: Storage, { app, id }: Forget): Promise<ForgetReport> {
  const [forget, parts] = await Promise.all([registry.forgets.get(app, id), registry.forgetParts.list(app)])
  return forgetReport(forget!, parts)
}
