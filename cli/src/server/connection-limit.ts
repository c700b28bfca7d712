import { readFileSync } from 'node:fs'
import type { Server } from 'node:net'
import type { Logger } from 'pino'

/** Files that the process itself needs: databases, their logs, threads, engines, and some to spare. */
const FILES_OF_OURS = 256
const CONNECTIONS_MIN = 32
const SAID_EVERY_MS = 60_000

/**
 * Keeps connections from using up the open files of the process: above the limit new ones are closed at once, and the
 * log says so, at most once a minute. Without it the system would refuse connections in silence, and databases would
 * fail for want of a file.
 */
export function limitConnections(server: Server, logger: Pick<Logger, 'warn'>, filesMax = openFilesMax()): void {
  if (filesMax === undefined) return
  server.maxConnections = Math.max(CONNECTIONS_MIN, filesMax - FILES_OF_OURS)
  let refused = 0
  let saidAt = -Infinity
  server.on('drop', () => {
    refused++
    const now = performance.now()
    if (now - saidAt < SAID_EVERY_MS) return
    logger.warn(
      { refused, connections: server.maxConnections, openFiles: filesMax },
      'connections are refused: the process may not open more files; raise its limit (ulimit -n, LimitNOFILE)',
    )
    saidAt = now
    refused = 0
  })
}

/** Returns how many files this process may have open; undefined where the system does not say. */
function openFilesMax(): number | undefined {
  try {
    const soft = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
    return soft === undefined ? undefined : Number(soft)
  } catch {
    return undefined
  }
}
