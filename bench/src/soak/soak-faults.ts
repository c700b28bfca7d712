import { setTimeout as pause } from 'node:timers/promises'
import type { Service } from '@hopper/e2e'

/** Longer than a lease of the tests' clusters, and shorter than what clients of engines wait for. */
const FROZEN_MS = 4_000

/** Something that goes wrong, and is over when `strike` resolves. */
export interface Fault {
  readonly name: string
  /** true if a process ends, so that its memory begins from zero */
  readonly ends: boolean
  strike(): Promise<void>
}

/** The faults of a process of Hopper: killed, ended in order, and standing still. */
export function faultsOf(service: Service, name = service.name): readonly Fault[] {
  const restart = async (signal: 'SIGKILL' | 'SIGTERM'): Promise<void> => {
    await service.stop(signal)
    await service.start()
  }
  return [
    { name: `${name} killed`, ends: true, strike: () => restart('SIGKILL') },
    { name: `${name} ended in order`, ends: true, strike: () => restart('SIGTERM') },
    frozen(name, () => service.pid!),
  ]
}

/** A process that stands still for 4 s. */
export function frozen(name: string, pid: () => number): Fault {
  const strike = async (): Promise<void> => {
    const own = pid()
    process.kill(own, 'SIGSTOP')
    try {
      await pause(FROZEN_MS)
    } finally {
      process.kill(own, 'SIGCONT')
    }
  }
  return { name: `${name} frozen for ${FROZEN_MS / 1_000} s`, ends: false, strike }
}
