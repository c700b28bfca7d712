import { Worker } from 'node:worker_threads'
import type { AuditJob, StartAudit } from '@hopper/api'
import type { AuditProgress, AuditTally } from '@hopper/contracts'
import type { AuditRequest } from './run-audit.ts'
import type { InstallationConfig } from '../installation/open-installation.ts'

/** Heap of the thread: an audit that needs more fails, and the process continues. */
const HEAP_MB = 1_024

export interface AuditThreadOptions {
  readonly request: AuditRequest
  readonly installation: AuditedInstallation
}

/** The installation as the thread opens it: the data directory of this process, or a cluster. */
export type AuditedInstallation =
  | { readonly dir: string; readonly lanes: number }
  | { readonly cluster: Omit<InstallationConfig, 'data' | 'acceptLoss'> }

/** Messages from the thread. */
export type FromAudit =
  | { readonly progress: AuditProgress }
  | { readonly tally: AuditTally }
  | { readonly failed: { readonly code?: string; readonly message: string } }

/** Returns what runs audits in a thread of low priority, with a handle of its own on the storage. */
export function auditsInThread(installation: AuditedInstallation): StartAudit {
  return (scope, onProgress): AuditJob => {
    const fromSources = import.meta.url.endsWith('.ts')
    const main = new URL(`../processes/audit-thread-main.${fromSources ? 'ts' : 'js'}`, import.meta.url)
    const worker = new Worker(main, {
      workerData: { request: scope, installation } satisfies AuditThreadOptions,
      name: 'audit',
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
      ...(fromSources && { execArgv: ['--conditions=source', '--disable-warning=ExperimentalWarning'] }),
    })
    const outcome = new Promise<AuditTally>((resolve, reject) => {
      worker.on('message', (message: FromAudit) => {
        if ('progress' in message) return onProgress(message.progress)
        if ('tally' in message) return resolve(message.tally)
        const { code, message: text } = message.failed
        reject(Object.assign(new Error(text), { code }))
      })
      worker.on('error', reject)
      worker.on('exit', () => reject(new Error('the thread of the audit has ended')))
    })
    return { outcome, stop: async () => void (await worker.terminate()) }
  }
}
