import { createRequire } from 'node:module'

/**
 * Like `SPECULATE_AFTER_MS` of requests: time that a node has to prepare a statement before another node is tried too.
 */
const NEXT_NODE_AFTER_MS = 400
const NODES_MAX = 3

type Prepare = (
  this: unknown,
  info: object,
  nodes: Iterator<unknown>,
  query: string,
  keyspace: string | undefined,
) => Promise<object>

/** The internal part of the driver that prepares a statement on its first use. */
interface PrepareHandler {
  readonly prototype: { _prepareWithQueryPlan: Prepare & { isRepaired?: true } }
}

/**
 * Makes the driver prepare a statement on the next node too when a node does not answer soon. The driver itself waits
 * for the whole timeout on each node, for each statement on its first use, and speculates only afterwards.
 */
export function repairPreparing(): void {
  const { prototype } = createRequire(import.meta.url)('cassandra-driver/lib/prepare-handler') as PrepareHandler
  const prepare = prototype._prepareWithQueryPlan
  if (prepare.isRepaired) return
  prototype._prepareWithQueryPlan = Object.assign(withEarlyPrepare(prepare), { isRepaired: true as const })
}

/**
 * Wraps `prepare` so that further attempts run in parallel. Every attempt takes its nodes from one plan, and the first
 * success counts.
 */
export function withEarlyPrepare(prepare: Prepare, afterMs = NEXT_NODE_AFTER_MS): Prepare {
  return function (info, nodes, query, keyspace) {
    return new Promise((resolve, reject) => {
      let [started, running] = [0, 0]
      let timer: NodeJS.Timeout | undefined
      const begin = (): void => {
        started++
        running++
        if (started < NODES_MAX) timer = setTimeout(begin, afterMs)
        prepare.call(this, info, nodes, query, keyspace).then(
          (prepared) => {
            clearTimeout(timer)
            resolve(prepared)
          },
          (error: Error) => {
            if (--running > 0) return
            clearTimeout(timer)
            reject(error)
          },
        )
      }
      begin()
    })
  }
}
