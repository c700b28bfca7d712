import { parentPort, workerData } from 'node:worker_threads'
import { lowerThreadPriority } from '@hopper/engine/thread-priority'
import type { Storage } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import type { AuditedInstallation, AuditThreadOptions, FromAudit } from '../audit/audit-thread.ts'
import { runAudit } from '../audit/run-audit.ts'
import { commandReadRepeatMs, openCluster } from '../installation/open-storage.ts'

/** The thread of an audit that the API began. It reads while counting continues, and writes only its result. */
const { request, installation } = workerData as AuditThreadOptions
const port = parentPort!
const say = (message: FromAudit): void => port.postMessage(message)
const ignored = (): void => undefined

function open(audited: AuditedInstallation): Promise<Storage> {
  if ('cluster' in audited) return openCluster(audited.cluster, { readRepeatMs: commandReadRepeatMs })
  return openEmbedded({ ...audited, exclusive: false })
}

lowerThreadPriority()
try {
  const storage = await open(installation)
  try {
    const report = { drift: ignored, logIncomplete: ignored, forgetting: ignored, reviewing: ignored }
    say({ tally: await runAudit(storage, request, { ...report, progress: (progress) => say({ progress }) }) })
  } finally {
    await storage.close()
  }
} catch (error) {
  const { code, message } = error as { code?: string; message: string }
  say({ failed: { message, ...(code === undefined ? {} : { code }) } })
}
