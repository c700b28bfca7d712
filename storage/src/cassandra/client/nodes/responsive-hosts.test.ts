import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { policies, types, type Client, type Host } from 'cassandra-driver'
import { ClusterClock } from './cluster-clock.ts'
import { probeHosts, ResponsiveHosts } from './responsive-hosts.ts'

const addresses = ['10.0.0.1:9042', '10.0.0.2:9042', '10.0.0.3:9042']

interface FakeHost {
  readonly address: string
  up: boolean
  isUp(): boolean
}

const hosts = (): FakeHost[] =>
  addresses.map((address) => ({
    address,
    up: true,
    isUp() {
      return this.up
    },
  }))

/** Plans every host in the given order, or fails. */
class InOrder extends policies.loadBalancing.LoadBalancingPolicy {
  readonly #hosts: readonly FakeHost[]
  error: Error | undefined

  constructor(each: readonly FakeHost[]) {
    super()
    this.#hosts = each
  }

  override getDistance(): types.distance {
    return types.distance.local
  }

  override newQueryPlan(
    _keyspace: string,
    _options: unknown,
    callback: (error: Error, plan: Iterator<Host>) => void,
  ): void {
    callback(this.error as Error, this.#hosts.values() as unknown as Iterator<Host>)
  }

  override getOptions(): Map<string, object> {
    return new Map([['inner', {}]])
  }
}

function planOf(policy: ResponsiveHosts): Promise<string[]> {
  return new Promise((resolve, reject) =>
    policy.newQueryPlan('k', {} as never, (error, plan) => {
      if (error) return reject(error)
      const planned: string[] = []
      for (let next = plan.next(); !next.done; next = plan.next()) planned.push(next.value.address)
      resolve(planned)
    }),
  )
}

describe('the order of nodes', () => {
  const [first, second, third] = addresses as [string, string, string]

  it('is that of the inner policy while all nodes answer, and after one missed probe', async () => {
    const policy = new ResponsiveHosts(new InOrder(hosts()))
    expect(await planOf(policy)).toEqual(addresses)
    policy.recordProbe(first, false)
    expect([policy.isSilent(first), await planOf(policy)]).toEqual([false, addresses])
  })

  it('puts a node last after two consecutive missed probes, and back in its place after the next answer', async () => {
    const policy = new ResponsiveHosts(new InOrder(hosts()))
    policy.recordProbe(first, false)
    policy.recordProbe(first, true)
    policy.recordProbe(first, false)
    expect(policy.isSilent(first)).toBe(false)
    policy.recordProbe(first, false)
    expect([policy.isSilent(first), await planOf(policy)]).toEqual([true, [second, third, first]])
    policy.recordProbe(first, true)
    expect(await planOf(policy)).toEqual(addresses)
  })

  it('contains every node, even when none answers', async () => {
    const policy = new ResponsiveHosts(new InOrder(hosts()))
    for (const address of addresses) for (let missed = 0; missed < 5; missed++) policy.recordProbe(address, false)
    expect(await planOf(policy)).toEqual(addresses)
    policy.recordProbe(second, true)
    expect(await planOf(policy)).toEqual([second, first, third])
  })

  it('delegates everything else to the inner policy', async () => {
    const inner = new InOrder(hosts())
    const policy = new ResponsiveHosts(inner)
    expect([policy.getDistance({} as Host), policy.getOptions()]).toEqual([
      types.distance.local,
      new Map([['inner', {}]]),
    ])
    inner.error = new Error('no plan')
    await expect(planOf(policy)).rejects.toThrow('no plan')
  })

  it('is computed lazily: a driver that takes only the first node does not check the others', async () => {
    const all = hosts()
    let lookUps = 0
    class Counting extends InOrder {
      override newQueryPlan(
        _keyspace: string,
        _options: unknown,
        callback: (error: Error, plan: Iterator<Host>) => void,
      ): void {
        callback(
          undefined as never,
          (function* () {
            for (const host of all) {
              lookUps++
              yield host
            }
          })() as unknown as Iterator<Host>,
        )
      }
    }
    new ResponsiveHosts(new Counting(all)).newQueryPlan('k', {} as never, (_error, plan) => void plan.next())
    expect(lookUps).toBe(1)
  })
})

describe('probes', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('query each node that is up once a second, one query at a time, and no other node instead', async () => {
    const all = hosts()
    const policy = new ResponsiveHosts(new InOrder(all))
    const probed: string[] = []
    const frozen = new Set<string>()
    const client = {
      hosts: { values: () => all },
      execute: (
        _query: string,
        _parameters: unknown[],
        { host, readTimeout, isIdempotent }: { host: FakeHost; readTimeout: number; isIdempotent: boolean },
      ) => {
        probed.push(host.address)
        expect([readTimeout, isIdempotent]).toEqual([1_000, false])
        if (!frozen.has(host.address)) return Promise.resolve({ first: () => new Map([['time', BigInt(Date.now())]]) })
        return new Promise((_, reject) => setTimeout(() => reject(new Error('timed out')), readTimeout + 500))
      },
    } as unknown as Client
    const probes = probeHosts(client, policy, new ClusterClock())
    await vi.advanceTimersByTimeAsync(1_000)
    expect(probed).toEqual(addresses)

    frozen.add(addresses[1]!)
    all[2]!.up = false
    probed.length = 0
    await vi.advanceTimersByTimeAsync(1_000)
    // The query to the frozen node is still in flight a second later, so the node is not probed again then.
    await vi.advanceTimersByTimeAsync(1_000)
    expect(probed).toEqual([addresses[0], addresses[1], addresses[0]])
    expect(policy.isSilent(addresses[1]!)).toBe(false)
    await vi.advanceTimersByTimeAsync(3_000)
    expect(addresses.map((address) => policy.isSilent(address))).toEqual([false, true, false])

    frozen.clear()
    await vi.advanceTimersByTimeAsync(2_000)
    expect(policy.isSilent(addresses[1]!)).toBe(false)

    probes.stop()
    probed.length = 0
    await vi.advanceTimersByTimeAsync(5_000)
    expect(probed).toEqual([])
  })
})
