import { scryptSync } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import { lowerThreadPriority } from '@hopper/engine/thread-priority'
import type { DeriveReply, DeriveRequest } from './password-thread.ts'

/** 32 MB and about a tenth of a second for each guess (OWASP's second choice of parameters for scrypt). */
const COST = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 1024 * 1024 }

// HTTP, the log and the folding of events go first.
lowerThreadPriority()

const port = parentPort!
port.on('message', ({ password, salt, bytes }: DeriveRequest) => {
  try {
    port.postMessage({ hash: scryptSync(password, salt, bytes, COST) } satisfies DeriveReply)
  } catch (error) {
    port.postMessage({ error: String(error) } satisfies DeriveReply)
  }
})
