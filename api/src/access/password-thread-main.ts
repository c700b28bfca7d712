import { scryptSync } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import { lowerThreadPriority } from '@hopper/engine/thread-priority'
import type { DeriveReply, DeriveRequest } from './password-thread.ts'

/** 32 MB and about 0.1 s per guess (the second of OWASP's recommended scrypt parameters). */
const COST = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 1024 * 1024 }

// HTTP, the log and folding take precedence over this thread.
lowerThreadPriority()

const port = parentPort!
port.on('message', ({ password, salt, bytes }: DeriveRequest) => {
  try {
    port.postMessage({ hash: scryptSync(password, salt, bytes, COST) } satisfies DeriveReply)
  } catch (error) {
    port.postMessage({ error: String(error) } satisfies DeriveReply)
  }
})
