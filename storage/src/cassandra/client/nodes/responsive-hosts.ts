import { policies, type Client, type ExecutionOptions, type Host, type types } from 'cassandra-driver'
import type { ClusterClock } from './cluster-clock.ts'

type HostCallback = Parameters<policies.loadBalancing.LoadBalancingPolicy['newQueryPlan']>[2]

const PROBE_INTERVAL_MS = 1_000
const PROBE_MS_MAX = 1_000
/** number of consecutive unanswered probes after which a node counts as silent */
const MISSED_MAX = 2

/**
 * Tries responsive nodes before silent ones. A frozen node, or one that was cut off without closing its connections,
 * stays up for the driver, which waits for it each time. A small query per second and node detects such nodes.
 */
export class ResponsiveHosts extends policies.loadBalancing.LoadBalancingPolicy {
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

  /** Records the outcome of a probe of a node. */
  recordProbe(address: string, answered: boolean): void {
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

/** Asks every node that the driver considers up for its time, until stopped. */
export function probeHosts(client: Client, hosts: ResponsiveHosts, clock: ClusterClock): { stop(): void } {
  const probing = new Set<string>()
  const probe = async (host: Host): Promise<void> => {
    const { address } = host
    probing.add(address)
    const answered = await clock.measure(client, { host, readTimeout: PROBE_MS_MAX }).then(
      () => true,
      () => false,
    )
    hosts.recordProbe(address, answered)
    probing.delete(address)
  }
  const timer = setInterval(() => {
    for (const host of client.hosts.values()) if (host.isUp() && !probing.has(host.address)) void probe(host)
  }, PROBE_INTERVAL_MS).unref()
  return { stop: () => clearInterval(timer) }
}
