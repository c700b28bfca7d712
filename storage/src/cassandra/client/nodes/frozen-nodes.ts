import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { Client } from 'cassandra-driver'
import type { CassandraSettings } from '../settings.ts'

const PROBE_MS_MAX = 1_000
const PROBE_INTERVAL_MS = 250
/** A machine that takes no connection for this long counts as switched off. */
const UNREACHABLE_MS_MAX = 60_000
/** A request OPTIONS of version 4 of the native protocol (section 4.1.3): a node answers it before any login. */
const OPTIONS = Buffer.from([4, 0, 0, 0, 5, 0, 0, 0, 0])

type State = 'alive' | 'gone' | 'silent' | 'unreachable'

/**
 * Waits until every node answers or is gone. A frozen process (a stopped container, a virtual machine that is moved, a
 * pause of its garbage collector) has requests in the buffers of its sockets and executes them as new ones when it
 * continues, long after their sender has given up. Only a node that answers again has read them; one that refuses
 * connections never will. A frozen node is waited for without a bound, until an operator ends its process.
 * @param addresses `host:port` of each node
 * @param waiting called with the address of a node that has not answered a probe, once for each probe
 */
export async function whenNodesAnswer(
  addresses: readonly string[],
  waiting: (address: string) => void = () => undefined,
): Promise<void> {
  await Promise.all(addresses.map((address) => whenAnswered(address, waiting)))
}

async function whenAnswered(address: string, waiting: (address: string) => void): Promise<void> {
  const startedAt = performance.now()
  for (;;) {
    const state = await probe(address)
    if (state === 'alive' || state === 'gone') return
    if (state === 'unreachable' && performance.now() - startedAt >= UNREACHABLE_MS_MAX) return
    waiting(address)
    await pause(PROBE_INTERVAL_MS)
  }
}

/**
 * Any byte, and the end of the connection too, shows that the process runs: a node that expects TLS closes the
 * connection.
 */
function probe(address: string): Promise<State> {
  const index = address.lastIndexOf(':')
  const host = address.slice(0, index).replace(/^\[|\]$/g, '')
  return new Promise((resolve) => {
    const socket = connect(Number(address.slice(index + 1)), host)
    const end = (state: State): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(state)
    }
    let isConnected = false
    const timer = setTimeout(() => end(isConnected ? 'silent' : 'unreachable'), PROBE_MS_MAX)
    socket.on('connect', () => {
      isConnected = true
      socket.write(OPTIONS)
    })
    socket.on('data', () => end('alive'))
    socket.on('close', () => end('alive'))
    socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      if (code === 'ECONNREFUSED') end('gone')
      else end(isConnected ? 'alive' : 'unreachable')
    })
  })
}

/** Called with the node that requests wait for, when the wait begins and when it is over. */
export interface NodeLogger {
  warn(details: object, message: string): void
  info(details: object, message: string): void
}

interface Outage {
  /** ms since the epoch */
  readonly since: number
  /** calls that wait for the node */
  waits: number
}

/** The wait for the nodes of a client, for all lanes of a process, and a report that names these nodes. */
export class FrozenNodes {
  readonly #addresses: () => readonly string[]
  readonly #logger: NodeLogger | undefined
  readonly #outages = new Map<string, Outage>()

  /** `addresses` lists `host:port` of each node. */
  constructor(addresses: () => readonly string[], logger?: NodeLogger) {
    this.#addresses = addresses
    this.#logger = logger
  }

  /** Waits as `whenNodesAnswer` does. Logs each outage when it begins and ends. */
  async whenAnswered(): Promise<void> {
    await Promise.all(
      this.#addresses().map(async (address) => {
        let isWaiting = false
        await whenNodesAnswer([address], () => {
          if (!isWaiting) this.#begin(address)
          isWaiting = true
        })
        if (isWaiting) this.#end(address)
      }),
    )
  }

  /** Names the nodes for which requests wait, and since when; undefined while there are none. */
  get detail(): string | undefined {
    if (this.#outages.size === 0) return undefined
    const nodes = [...this.#outages].map(([address, { since }]) => `${address} since ${new Date(since).toISOString()}`)
    return `lanes wait for nodes that do not answer: ${nodes.join(', ')}; end the process of such a node to continue`
  }

  #begin(address: string): void {
    const outage = this.#outages.get(address)
    if (outage) {
      outage.waits++
      return
    }
    this.#outages.set(address, { since: Date.now(), waits: 1 })
    const message = 'a node does not answer, so lanes that it may still write wait for it; end its process to continue'
    this.#logger?.warn({ node: address }, message)
  }

  #end(address: string): void {
    const outage = this.#outages.get(address)!
    if (--outage.waits > 0) return
    this.#outages.delete(address)
    this.#logger?.info(
      { node: address, waitedMs: Date.now() - outage.since },
      'a node that was waited for has answered or is gone',
    )
  }
}

/** Lists the nodes that requests may have gone to, up or down: the driver sends none to other data centers. */
export function addressesOf({ hosts }: Client, { dataCenter }: Pick<CassandraSettings, 'dataCenter'>): string[] {
  const reachable = [...hosts.values()].filter(({ datacenter }) => !datacenter || datacenter === dataCenter)
  return reachable.map(({ address }) => address)
}

/** Waits for the nodes of a client. */
export function frozenNodesOf(
  client: Client,
  settings: Pick<CassandraSettings, 'dataCenter'>,
  logger?: NodeLogger,
): FrozenNodes {
  return new FrozenNodes(() => addressesOf(client, settings), logger)
}
