import { readFileSync } from 'node:fs'
import type { Server, Socket } from 'node:net'
import { isLoopback, sourceOf } from '@hopper/contracts'
import type { Logger } from 'pino'

/** Files that the process itself needs: databases, their logs, threads, engines, and some to spare. */
const FILES_OF_OURS = 256
const CONNECTIONS_MIN = 32
const LOG_INTERVAL_MS = 60_000
/**
 * Shares of all connections that one address may hold, and that an address of this machine, the operator's, may hold.
 */
const [SHARE, LOCAL_SHARE] = [1 / 4, 3 / 4]

/** The bound that a refused connection exceeds: that of the process, or that of one address. */
export type ConnectionBound = 'process' | 'address'

export interface ConnectionBounds {
  /** of the process; fewer if it may open fewer files */
  readonly connectionsMax: number
  /** whether one address gets a share only; false behind a known proxy, from which all connections come */
  readonly isByAddress: boolean
  /** files that the process may open; undefined if unknown */
  readonly filesMax?: number | undefined
  /** Returns the share of the connections that a source may hold, from 0 to 1. */
  readonly shareOf?: (source: string) => number
}

/**
 * Bounds the open connections of a process, in total and for each address. One above a bound is closed as soon as it
 * is accepted, and the log says so, at most once a minute. Without it connections would use up memory, and open files:
 * the system would then refuse connections in silence, and databases would fail for want of a file.
 */
export class ConnectionLimit {
  /** connections above a bound that were closed */
  readonly refused: Record<ConnectionBound, number> = { process: 0, address: 0 }
  readonly connectionsMax: number
  readonly #bounds: ConnectionBounds
  readonly #shareOf: (source: string) => number
  readonly #logger: Pick<Logger, 'warn'>
  readonly #bySource = new Map<string, number>()
  readonly #unsaid = { process: 0, address: 0 }
  readonly #saidAt = { process: -Infinity, address: -Infinity }
  #open = 0

  constructor(bounds: ConnectionBounds, logger: Pick<Logger, 'warn'>) {
    this.#bounds = bounds
    this.#shareOf = bounds.shareOf ?? shareOf
    this.#logger = logger
    const byFiles = (bounds.filesMax ?? Infinity) - FILES_OF_OURS
    this.connectionsMax = Math.min(bounds.connectionsMax, Math.max(CONNECTIONS_MIN, byFiles))
  }

  /** number of open connections */
  get open(): number {
    return this.#open
  }

  /** Applies the bounds to a server, whose own listeners never see a connection that is refused. */
  watch(server: Server): void {
    const accept = server.listeners('connection')
    server.removeAllListeners('connection').on('connection', (socket: Socket) => {
      const source = sourceOf(socket.remoteAddress ?? '')
      const exceeded = this.#exceeded(source)
      if (exceeded) {
        socket.destroy()
        this.#refuse(exceeded)
        return
      }
      this.#change(source, 1)
      socket.once('close', () => this.#change(source, -1))
      for (const listener of accept) listener.call(server, socket)
    })
  }

  #exceeded(source: string): ConnectionBound | undefined {
    if (this.#open >= this.connectionsMax) return 'process'
    if (!this.#bounds.isByAddress) return undefined
    const ownMax = Math.max(1, Math.floor(this.connectionsMax * this.#shareOf(source)))
    return (this.#bySource.get(source) ?? 0) >= ownMax ? 'address' : undefined
  }

  #change(source: string, by: 1 | -1): void {
    this.#open += by
    const open = (this.#bySource.get(source) ?? 0) + by
    if (open === 0) this.#bySource.delete(source)
    else this.#bySource.set(source, open)
  }

  #refuse(bound: ConnectionBound): void {
    this.refused[bound]++
    this.#unsaid[bound]++
    const now = performance.now()
    if (now - this.#saidAt[bound] < LOG_INTERVAL_MS) return
    const { filesMax } = this.#bounds
    this.#logger.warn(
      {
        refused: this.#unsaid[bound],
        connections: this.connectionsMax,
        ...(filesMax === undefined ? {} : { openFiles: filesMax }),
      },
      this.#reason(bound),
    )
    this.#saidAt[bound] = now
    this.#unsaid[bound] = 0
  }

  #reason(bound: ConnectionBound): string {
    if (bound === 'address')
      return (
        'connections of one address are refused: it holds its share; if it is a proxy, set --trusted-proxies, ' +
        'if it is an attacker, block it in front of Hopper ("ss -tn" lists addresses), otherwise raise --connections'
      )
    if (this.connectionsMax < this.#bounds.connectionsMax)
      return 'connections are refused: the process may not open more files; raise its limit (ulimit -n, LimitNOFILE)'
    return 'connections are refused: all that --connections allows are open; raise it if there is memory for more'
  }
}

function shareOf(source: string): number {
  return isLoopback(source) ? LOCAL_SHARE : SHARE
}

/** Returns how many files this process may have open; undefined where the system does not say. */
export function openFilesMax(): number | undefined {
  try {
    const soft = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
    return soft === undefined ? undefined : Number(soft)
  } catch {
    return undefined
  }
}
