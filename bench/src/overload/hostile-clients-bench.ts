import { setTimeout as pause } from 'node:timers/promises'
import { quantile } from './hostile.ts'
import { attacks, type Attack } from './hostile-clients.ts'
import { peakMegabytesOf } from '../harness/process-usage.ts'
import { startFilled, probe, type Starvation } from './starvation.ts'
import type { Installation } from '@hopper/e2e'

const IDLE_MS = 8_000
const ATTACK_MS = 6_000
/** The maximum that a client may add to the p99 of unrelated clients. */
const ADDED_MS_MAX = 100
const watched = ['ingest', 'healthcheck', 'panel'] as const

/**
 * Prints the effect of each attack, with one key or none, on another app: ingest, `/healthcheck` and a panel. Ends the
 * process with an error when it exceeds its bar.
 */
export async function hostileClientsBench(): Promise<void> {
  const installation = await startFilled()
  try {
    const idle = await probe(installation, IDLE_MS, watched)
    console.log(
      `  idle: ${watched.map((name) => `${name} p99 ${quantile(idle[name], 0.99).toFixed(1)} ms`).join(', ')}`,
    )
    for (const [name, attack] of Object.entries(attacks)) await underAttack(installation, name, attack, idle)
  } finally {
    await installation.dispose()
  }
}

async function underAttack(installation: Installation, name: string, attack: Attack, idle: Starvation): Promise<void> {
  const leaving = new AbortController()
  const ends = new Map<string, number>()
  const attacked = attack(installation, leaving.signal, ends)
  await pause(500)
  const loaded = await probe(installation, ATTACK_MS, watched)
  leaving.abort()
  await attacked
  const added = watched.map((kind) => quantile(loaded[kind], 0.99) - quantile(idle[kind], 0.99))
  const reached = added.every((ms) => ms <= ADDED_MS_MAX)
  if (!reached) process.exitCode = 1
  const increases = watched.map((kind, i) => `${kind} +${added[i]!.toFixed(0)}`).join(', ')
  const peak = Math.max(...installation.services.map(({ pid }) => peakMegabytesOf(pid!)))
  console.log(
    `  ${name}: p99 ${increases} ms, bar ${ADDED_MS_MAX} ms ${reached ? 'reached' : 'NOT REACHED'}; ` +
      `memory so far ${peak.toFixed(0)} MB; ${[...ends].map(([end, times]) => `${end} (${times})`).join(', ')}`,
  )
  await pause(1_000)
}
