import { createRequire } from 'node:module'

/** Like `SPECULATE_AFTER_MS` of requests: a node that has not prepared a statement by then is not waited for. */
const NEXT_NODE_AFTER_MS = 400
const NODES_MAX = 3

type Prepare = (
  this: unknown,
  info: object,
  nodes: Iterator<unknown>,
  query: string,
  keyspace: string | undefined,
) => Promise<object>

/** The part of the driver that prepares a statement when it is first used; it has no public name. */
interface PrepareHandler {
  readonly prototype: { _prepareWithQueryPlan: Prepare & { isRepaired?: true } }
}

/**
 * Has the driver prepare a statement at the next node too when one does not answer soon: by itself it waits for the
 * whole timeout at each node, for each statement that is used for the first time, and speculates only afterwards.
 */
export function repairPreparing(): void {
  const { prototype } = createRequire(import.meta.url)('cassandra-driver/lib/prepare-handler') as PrepareHandler
  const prepare = prototype._prepareWithQueryPlan
  if (prepare.isRepaired) return
  prototype._prepareWithQueryPlan = Object.assign(preparingSoon(prepare), { isRepaired: true as const })
}

/** The same, but every attempt takes its nodes from one plan, and the first that succeeds counts. */
export function preparingSoon(prepare: Prepare, afterMs = NEXT_NODE_AFTER_MS): Prepare {
  return function (info, nodes, query, keyspace) {
    return new Promise((resolve, reject) => {
      let [begun, running] = [0, 0]
      let timer: NodeJS.Timeout | undefined
      const begin = (): void => {
        begun++
        running++
        if (begun < NODES_MAX) timer = setTimeout(begin, afterMs)
        prepare.call(this, info, nodes, query, keyspace).then(
          (prepared) => {
            clearTimeout(timer)
            resolve(prepared)
          },
          (error: unknown) => {
            if (--running > 0) return
            clearTimeout(timer)
            reject(error as Error)
          },
        )
      }
      begin()
    })
  }
}
