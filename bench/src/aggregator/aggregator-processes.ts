import { fork, type ChildProcess } from 'node:child_process'
import type { AggregatorNews, AggregatorTarget } from './aggregator-process-main.ts'

const TAKEN_MS_MAX = 60_000
const COUNT_MS_MAX = 600_000

/** Aggregators in separate processes that share the lanes. They are started once, and count backlog after backlog. */
export class AggregatorProcesses {
  readonly #children: readonly ChildProcess[]
  readonly #lanes = new Map<ChildProcess, number>()
  #counted = 0
  #wake: () => void = () => undefined
  #failure: Error | undefined

  /** Resolves when each of them owns its share of the lanes. */
  static async start(processes: number, target: AggregatorTarget): Promise<AggregatorProcesses> {
    const own = new AggregatorProcesses(processes, target)
    await own.#until(
      () => own.#share() >= Math.floor(target.lanes / processes),
      TAKEN_MS_MAX,
      () => `the lanes are shared ${[...own.#lanes.values()].join(' : ')}`,
    )
    return own
  }

  private constructor(processes: number, target: AggregatorTarget) {
    this.#children = Array.from({ length: processes }, () => {
      const child = fork(new URL('./aggregator-process-main.js', import.meta.url), [JSON.stringify(target)], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      })
      child.on('message', (news: AggregatorNews) => this.#hear(child, news))
      child.on('exit', (code) => code && this.#fail(new Error(`an aggregator of the bench ended with ${code}`)))
      return child
    })
  }

  get pids(): number[] {
    return this.#children.map(({ pid }) => pid!)
  }

  /**
   * Pauses the aggregators until the next `count`, so that they do not read a backlog before it is complete. A lease
   * outlasts the pause: filling takes some seconds.
   */
  hold(): void {
    this.#signal('SIGSTOP')
  }

  /** Counts n events of the log; returns events per second. */
  async count(events: number): Promise<number> {
    this.#counted = 0
    const startedAt = performance.now()
    this.#signal('SIGCONT')
    await this.#until(
      () => this.#counted >= events,
      COUNT_MS_MAX,
      () => `only ${this.#counted} of ${events} events are counted`,
    )
    return (events / (performance.now() - startedAt)) * 1_000
  }

  async stop(): Promise<void> {
    this.#signal('SIGCONT')
    await Promise.all(
      this.#children.map(
        (child) =>
          new Promise<void>((ended) => {
            if (child.exitCode !== null || child.signalCode !== null) return ended()
            child.once('exit', () => ended())
            child.kill()
          }),
      ),
    )
  }

  #share(): number {
    return Math.min(...this.#children.map((child) => this.#lanes.get(child) ?? 0))
  }

  #hear(child: ChildProcess, news: AggregatorNews): void {
    if ('lanes' in news) this.#lanes.set(child, news.lanes)
    else this.#counted += news.counted
    this.#wake()
  }

  #fail(failure: Error): void {
    this.#failure = failure
    this.#wake()
  }

  #signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    for (const child of this.#children) child.kill(signal)
  }

  async #until(reached: () => boolean, msMax: number, state: () => string): Promise<void> {
    const deadline = Date.now() + msMax
    while (!reached()) {
      if (this.#failure) throw this.#failure
      if (Date.now() >= deadline) throw new Error(`${state()} after ${msMax} ms`)
      const woken = Promise.withResolvers<void>()
      this.#wake = woken.resolve
      const timer = setTimeout(woken.resolve, deadline - Date.now())
      await woken.promise
      clearTimeout(timer)
    }
  }
}
