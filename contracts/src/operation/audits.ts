import { Type, type Static } from 'typebox'
import { App } from '../app.ts'

/** Audits that an installation remembers; an older one is deleted when a new one begins. */
export const AUDITS_MAX = 100
/**
 * A running audit records a sign of life every few seconds; one that was silent for longer has died with its process.
 */
const SILENT_MS_MAX = 30_000

const whole = Type.Integer({ minimum: 0 })
const date = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$', description: 'like 2026-01-31' })

export const auditStates = ['running', 'finished', 'failed', 'interrupted'] as const

/** Reasons for which an audit has failed. */
export const auditFaults = ['store_unavailable', 'log_unavailable', 'out_of_memory', 'internal'] as const
export type AuditFault = (typeof auditFaults)[number]

/** The scope of an audit, which its result repeats. */
const scope = {
  app: Type.Optional(Type.String({ description: 'missing: all apps' })),
  from: Type.Optional(Type.String({ description: 'missing: from the oldest archived event on' })),
  to: Type.Optional(Type.String({ description: 'missing: up to the day it ran' })),
}

/** Numbers that an audit has found so far, or in the end. */
const found = {
  partitions: Type.Integer({ minimum: 0, description: 'tables of an app, a date and a lane that were compared' }),
  differing_partitions: Type.Integer({ minimum: 0, description: 'how many of them differed from a recount' }),
  differing: Type.Integer({ minimum: 0, description: 'rows of tables that differed from a recount' }),
  repaired: Type.Integer({ minimum: 0, description: 'how many rows were corrected' }),
  skipped: Type.Integer({
    minimum: 0,
    description: 'lanes of apps that were not compared, because a person was being forgotten or old events expired',
  }),
}
export const AuditTally = Type.Object(found)
export type AuditTally = Static<typeof AuditTally>

/** Progress of an audit: lanes that are done, and what was found in them. */
export interface AuditProgress extends AuditTally {
  readonly lane: number
  readonly lanes: number
}

export const AuditRun = Type.Object({
  id: Type.String(),
  state: Type.Enum([...auditStates], {
    description: 'interrupted: its process ended before it, so what it had not compared is not known',
  }),
  started_at: Type.Integer(),
  started_by: Type.String({ description: 'the member, `an admin key`, or `hopper audit`' }),
  finished_at: Type.Optional(Type.Integer()),
  ...scope,
  lane: Type.Integer({ minimum: 0, description: 'lanes that are compared' }),
  lanes: whole,
  ...found,
  fault: Type.Optional(Type.Enum([...auditFaults])),
})
export type AuditRun = Static<typeof AuditRun>

/** `GET /api/v1/audits`. */
export const Audits = Type.Object({
  audits: Type.Array(AuditRun, { description: `the newest first, at most ${AUDITS_MAX}` }),
  can_run: Type.Boolean({ description: 'false: this process cannot run an audit; `hopper audit` can' }),
})
export type Audits = Static<typeof Audits>

/** The body of `POST /api/v1/audits`. */
export const NewAudit = Type.Object({
  app: Type.Optional(App.properties.id),
  from: Type.Optional(date),
  to: Type.Optional(date),
})
export type NewAudit = Static<typeof NewAudit>

/** An audit as it is stored. */
export interface StoredAudit extends AuditRun {
  /** the organization whose apps were compared; missing: those of all */
  readonly organization?: string
  /** when its process last said that it lives */
  readonly seen_at: number
}

/** Returns an audit as callers see it: one whose process has died is interrupted. */
export function auditView(stored: StoredAudit, now: number): AuditRun {
  const { organization: _, seen_at, ...run } = stored
  return run.state === 'running' && now - seen_at > SILENT_MS_MAX ? { ...run, state: 'interrupted' } : run
}

export const noTally: AuditTally = { partitions: 0, differing_partitions: 0, differing: 0, repaired: 0, skipped: 0 }
