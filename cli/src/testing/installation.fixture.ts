import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Aggregator } from '@hopper/aggregator'
import { eventTypes, type App, type Envelope, type Event, type RejectedEvent } from '@hopper/contracts'
import type { Storage } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import * as fc from 'fast-check'
import { expect } from 'vitest'
import { readConfig, type ConfigOf } from '../config/config.ts'
import { settingsOf } from '../config/settings.ts'
import type { Drift } from '../audit/drift.ts'
import { runAudit, type AuditReport, type AuditRequest } from '../audit/run-audit.ts'

/** All dates of the random traffic, including those of late receipt. */
export const RANGE = { from: '2026-03-26', to: '2026-04-09' }
/** The settings of a data directory, as the commands get them. */
export function configOf(dir: string, lanes: number): ConfigOf<'installation'> {
  return readConfig(settingsOf.installation, { data: dir, lanes: String(lanes) }, {})
}

const HOUR_MS = 3_600_000
const WEEK_MS = 7 * 24 * HOUR_MS
/** the end of a date in Berlin, in Kathmandu and in UTC, and a daylight-saving change */
const instants = ['2026-03-28T23:00:00Z', '2026-03-29T01:00:00Z', '2026-03-29T18:15:00Z', '2026-03-30T00:00:00Z'].map(
  (text) => Date.parse(text),
)

const timestamp = fc
  .tuple(fc.constantFrom(...instants), fc.integer({ min: -3, max: 3 }))
  .map(([at, hours]) => at + hours * HOUR_MS)
const url = fc.constantFrom('', 'https://s.example/', '/a?ref=x', '/a')
const target = fc.constantFrom('//a[1]', '__proto__')
const elapsed_time = fc.nat(5_000)
const hover = fc.constantFrom('hover-then-leave' as const, 'hover-then-clicked' as const)
const action = fc.constant('onClick' as const)
const kind = fc.oneof(
  fc.record({ type: fc.constant('click' as const), target, elapsed_time, current_url: url }),
  fc.record({ type: fc.constant('url_change' as const), from: url, to: url, elapsed_time }),
  fc.record({ type: fc.constant('btn_time' as const), target, action: hover, elapsed_time }),
  fc.record({
    type: fc.constant('funnel_change' as const),
    action,
    funnel: fc.constant('f'),
    entered: fc.nat(2),
    from: fc.nat(2),
    elapsed_time,
  }),
  fc.record({ type: fc.constant('identify' as const), user_id: fc.constantFrom('ann', 'bob') }),
  fc.record({
    type: fc.constant('custom' as const),
    name: fc.constant('note'),
    data: fc.constant({ plan: 'pro', n: 1 }),
  }),
)
const event: fc.Arbitrary<Event> = fc
  .tuple(kind, timestamp, fc.nat(60), fc.nat(2))
  .map(([fields, at, id, session]) => ({
    ...fields,
    event_id: `e${id}`,
    timestamp: at,
    seq: 0,
    session_id: `s${session}`,
  }))
const rejected: fc.Arbitrary<RejectedEvent> = fc.record({
  reason: fc.constantFrom('too_old' as const, 'missing_field' as const),
})
const context = fc.constantFrom(
  { device: 'desktop', browser: 'Firefox', os: 'Linux' } as const,
  { device: 'mobile', browser: 'Chrome', os: 'Android', country: 'NP' } as const,
)

/**
 * Generates envelopes of two apps in two time zones, with repeated ids, late events, bots, identities and refused
 * events.
 */
export const traffic: fc.Arbitrary<Envelope[]> = fc.array(
  fc
    .record({
      app: fc.constantFrom('berlin', 'kathmandu'),
      device_id: fc.constantFrom('d0', 'd1', 'd2', 'd3'),
      context,
      bot: fc.nat(8),
      late: fc.nat(8),
      asSent: fc.boolean(),
      events: fc.array(event, { minLength: 1, maxLength: 4 }),
      rejected: fc.array(rejected, { maxLength: 1 }),
    })
    .map(({ bot, late, asSent, context: sender, ...fields }): Envelope => {
      const received_at = fields.events[0]!.timestamp + (late === 0 ? WEEK_MS + 30 * HOUR_MS : 1_000)
      // Sessions, event ids and timestamps belong to one device, so that the result does not depend on the number of
      // lanes or on which lane is counted first.
      const idOf = (id: string | undefined): string => `${fields.device_id} ${id}`
      const events = fields.events.map((each) => ({
        ...each,
        timestamp: each.timestamp + Number(fields.device_id[1]),
        session_id: idOf(each.session_id),
        event_id: idOf(each.event_id),
      }))
      const senderContext =
        bot === 0
          ? { ...sender, bot: 'webdriver' as const }
          : bot === 1
            ? { ...sender, historical: true as const }
            : sender
      const envelope: Envelope = { version: 1, ...fields, events, received_at, context: senderContext }
      return asSent && fields.rejected.length === 0 ? { ...envelope, sent: bodyOf(envelope) } : envelope
    }),
  { minLength: 4, maxLength: 40, size: 'max' },
)

/**
 * Builds the body as a browser sends it and the log keeps it: types by number, spaces, and characters that JSON may or
 * may not escape.
 */
function bodyOf({ device_id, events }: Pick<Envelope, 'device_id' | 'events'>): Buffer {
  const numbered = events.map((each) => ({ ...each, type: eventTypes.indexOf(each.type) }))
  return Buffer.from(JSON.stringify({ device_id, sent_at: 1, events: numbered }, null, 1).replaceAll('/', '\\/'))
}

/** An installation with its own data directory and both apps. */
export interface Installation extends AsyncDisposable {
  readonly dir: string
  readonly storage: Storage
  /** Counts and archives everything in the log. */
  count(): Promise<void>
  audit(request?: AuditRequest): Promise<{ drift: Drift; repaired: boolean }[]>
  /** the table files on disk, for tests that damage them */
  readonly tables: DatabaseSync
}

export async function makeInstallation(lanes = 2): Promise<Installation> {
  const dir = await mkdtemp(join(tmpdir(), 'hopper-cli-'))
  const opened = await openEmbedded({ dir, lanes })
  await putApps(opened)
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => (closing ??= opened.close())
  const storage = { ...opened, close }
  const tables = new DatabaseSync(join(dir, 'tables.db'))
  return {
    dir,
    storage,
    tables,
    count: () => countAll(storage),
    audit: (request) => auditOf(storage, request),
    async [Symbol.asyncDispose]() {
      tables.close()
      await close()
      await rm(dir, { recursive: true })
    },
  }
}

export async function putApps({ registry }: Storage): Promise<void> {
  const apps: App[] = [
    ['berlin', 'Europe/Berlin'],
    ['kathmandu', 'Asia/Kathmandu'],
  ].map(([id = '', timezone = '']) => ({
    id,
    organization: 'acme',
    name: id,
    timezone,
    origins: [],
    keep_parameters: ['ref'],
  }))
  await registry.organizations.put('', 'acme', { id: 'acme', name: 'Acme' })
  for (const app of apps) await registry.apps.put('acme', app.id, app)
}

/**
 * Counts the log with the real aggregator and releases the lanes, so that everything is archived and every session has
 * its verdict about bots.
 */
export async function countAll(storage: Storage): Promise<void> {
  const aggregator = new Aggregator({ ...storage, owner: 'test', bots: { checkMs: 0 } })
  for (const [lane, end] of (await storage.log.ends()).entries()) {
    const from = await aggregator.assigned(lane)
    const messages = await storage.log.read(lane, from, end)
    if (messages.length > 0) await aggregator.batch(lane, messages)
    await aggregator.catchUp()
    await aggregator.revoked(lane)
    await aggregator.assigned(lane)
    expect(await aggregator.reviewBots()).toBe(true)
    await aggregator.revoked(lane)
  }
}

export async function auditOf(
  storage: Storage,
  request: AuditRequest = {},
): Promise<{ drift: Drift; repaired: boolean }[]> {
  const found: { drift: Drift; repaired: boolean }[] = []
  const fail = (what: number | string): void => expect.fail(`the log is whole and nobody is being forgotten: ${what}`)
  const drift: AuditReport['drift'] = (each, repaired) => void found.push({ drift: each, repaired })
  const ignored = (): void => undefined
  await runAudit(
    storage,
    { ...RANGE, ...request },
    { drift, logIncomplete: fail, forgetting: fail, reviewing: fail, progress: ignored },
  )
  return found
}
