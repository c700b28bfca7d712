import { policies, types, type Client, type ExecutionOptions, type Host } from 'cassandra-driver'

type HostCallback = Parameters<policies.loadBalancing.LoadBalancingPolicy['newQueryPlan']>[2]

const PROBE_EVERY_MS = 1_000
const PROBE_MS_MAX = 1_000
/** so many probes in a row without an answer */
const MISSED_MAX = 2

/**
 * Asks nodes that answer before those that are silent. A node that is frozen, or cut off without a word, keeps its
 * connections, so the driver takes it for up and waits for it each time; each node is asked a small question every
 * second to tell.
 */
export class SteadyHosts extends policies.loadBalancing.LoadBalancingPolicy {
  readonly #inner: policies.loadBalancing.LoadBalancingPolicy
  readonly #missed = new Map<string, number>()

  constructor(inner: policies.loadBalancing.LoadBalancingPolicy) {
    super()
    this.#inner = inner
  }

  override init(...args: Parameters<policies.loadBalancing.LoadBalancingPolicy['init']>): void {
    this.#inner.init(...args)
  }

  override getDistance(host: Host): types.distance {
    return this.#inner.getDistance(host)
  }

  override newQueryPlan(keyspace: string, options: ExecutionOptions, callback: HostCallback): void {
    this.#inner.newQueryPlan(keyspace, options, (error, plan) => callback(error, error ? plan : this.#silentLast(plan)))
  }

  override getOptions(): Map<string, object> {
    return this.#inner.getOptions()
  }

  /** Notes whether a node has answered a probe. */
  note(address: string, answered: boolean): void {
    if (answered) this.#missed.delete(address)
    else this.#missed.set(address, (this.#missed.get(address) ?? 0) + 1)
  }

  isSilent(address: string): boolean {
    return (this.#missed.get(address) ?? 0) >= MISSED_MAX
  }

  *#silentLast(plan: Iterator<Host>): Generator<Host> {
    const silent: Host[] = []
    for (let next = plan.next(); !next.done; next = plan.next()) {
      if (this.isSilent(next.value.address)) silent.push(next.value)
      else yield next.value
    }
    yield* silent
  }
}

/** Probes every node that the driver takes for up, until it is stopped. */
export function probeHosts(client: Client, steady: SteadyHosts): { stop(): void } {
  const asking = new Set<string>()
  const probe = async (host: Host): Promise<void> => {
    const { address } = host
    asking.add(address)
    const options = {
      prepare: false,
      host,
      readTimeout: PROBE_MS_MAX,
      isIdempotent: false,
      consistency: types.consistencies.one,
    }
    const answered = await client.execute('SELECT key FROM system.local', [], options).then(
      () => true,
      () => false,
    )
    steady.note(address, answered)
    asking.delete(address)
  }
  const timer = setInterval(() => {
    for (const host of client.hosts.values()) if (host.isUp() && !asking.has(host.address)) void probe(host)
  }, PROBE_EVERY_MS).unref()
  return { stop: () => clearInterval(timer) }
}
