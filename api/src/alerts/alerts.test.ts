import { createHmac } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AlertView, Alerts, ArchivedEvent, ChangedAlert, Notice } from '@hopper/contracts'
import { encodeChunks } from '@hopper/engine'
import { openEmbedded } from '@hopper/storage/embedded'
import { Registry } from 'prom-client'
import { SMTPServer } from 'smtp-server'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AlertOptions } from '../options.ts'
import { archiveSketches } from '../testing/archived.fixture.ts'
import { NOW, apiOver, keys, openInstallation, type Installation } from '../testing/installation.fixture.ts'
import { AlertRunner } from './alert-runner.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const path = '/api/v1/apps/shop/alerts'
const admin = { authorization: `Bearer ${keys.admin}` }
const read = { authorization: `Bearer ${keys.read}` }

interface Received {
  readonly id: string
  readonly signature: string
  readonly signed: string
  readonly body: { type: string; data: Record<string, unknown> }
}

let hopper: Installation
let server: Server
let origin: string
let received: Received[]
/** the status of the answer to each webhook; awaited before it is sent */
let status: () => number | Promise<number>
let others: Awaited<ReturnType<typeof apiOver>>[]

const alertOptions = (): AlertOptions => ({ webhookOrigins: [origin], arePrivateAddressesAllowed: true })

beforeEach(async () => {
  received = []
  others = []
  status = () => 204
  server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const text = Buffer.concat(parts).toString()
      const header = (name: string): string => String(request.headers[`webhook-${name}`])
      received.push({
        id: header('id'),
        signature: header('signature'),
        signed: `${header('id')}.${header('timestamp')}.${text}`,
        body: JSON.parse(text) as Received['body'],
      })
      void Promise.resolve(status()).then((code) => response.writeHead(code).end())
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  hopper = await openInstallation(openEmbedded, { alerts: alertOptions() })
})
afterEach(async () => {
  for (const api of others) await api.close()
  await hopper.close()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

const run = (): Promise<void> => hopper.app.get(AlertRunner).runAll()

async function create(body: object): Promise<ChangedAlert> {
  const answer = await hopper.send('POST', path, { webhook: { url: `${origin}/hook` }, ...body }, admin)
  expect([answer.status, answer.text]).toEqual([201, expect.any(String)])
  return answer.body
}

async function one({ id }: { id: string }): Promise<AlertView> {
  return (await hopper.get(`${path}/${id}`, admin)).body
}

/** Another process over the same storage. */
async function otherProcess(): Promise<AlertRunner> {
  const options = { metrics: new Registry(), clock: () => hopper.clock, alerts: alertOptions() }
  const api = await apiOver(hopper.storage, options)
  others.push(api)
  return api.get(AlertRunner)
}

let position = 0
async function archive(time: number, bot = false): Promise<void> {
  const date = new Date(time).toISOString().slice(0, 10)
  await archiveSketches(hopper.storage, 'shop', 0, date, position, [{ device: `d${position}`, time, data: {}, bot }])
  position += 1
}

describe('the list of alerts', () => {
  it('shows the secret once, and addresses to admins only', async () => {
    const created = await create({ name: 'Quiet', quiet: { minutes: 30 } })
    expect(created.webhook_secret).toMatch(/^whsec_[\w+/]{43}=$/)
    const { webhook_secret: _, ...view } = created
    expect((await hopper.get(`${path}/${created.id}`, admin)).body).toEqual(view)
    const listed = (await hopper.get(path, read)).body as Alerts
    expect(listed).toMatchObject({
      alerts: [{ id: created.id, webhook: { origin }, silenced_until: null, notices: [] }],
      channels: { webhook_origins: [origin], email: false },
    })
    expect(JSON.stringify(listed)).not.toContain('/hook')
    const silenced = await hopper.send('PATCH', `${path}/${created.id}`, { silenced_until: NOW + 1 }, admin)
    const silence = { silenced_until: NOW + 1, silenced_by: 'an admin key' }
    expect([silenced.status, silenced.body]).toEqual([200, { ...view, ...silence }])
    const renamed = await hopper.send('PATCH', `${path}/${created.id}`, { name: 'Still' }, admin)
    expect(renamed.body).toEqual({ ...view, ...silence, name: 'Still' })
    const ended = await hopper.send('PATCH', `${path}/${created.id}`, { name: 'Quiet', silenced_until: null }, admin)
    expect(ended.body).toEqual(view)
    const again = await hopper.send('PATCH', `${path}/${created.id}`, { new_secret: true, silenced_until: null }, admin)
    expect((again.body as ChangedAlert).webhook_secret).toMatch(/^whsec_/)
    expect((again.body as ChangedAlert).webhook_secret).not.toBe(created.webhook_secret)
    expect((await hopper.send('DELETE', `${path}/${created.id}`, undefined, admin)).status).toBe(204)
    expect(await hopper.get(`${path}/${created.id}`, admin)).toMatchObject({
      status: 404,
      body: { error: { code: 'HOP_ALERT_UNKNOWN' } },
    })
  })

  it('is changed by admins only', async () => {
    const { id } = await create({ name: 'Quiet', quiet: { minutes: 30 } })
    for (const [method, at] of [
      ['POST', path],
      ['PATCH', `${path}/${id}`],
      ['DELETE', `${path}/${id}`],
      ['POST', `${path}/${id}/test`],
    ] as const)
      expect((await hopper.send(method, at, method === 'DELETE' ? undefined : {}, read)).status).toBe(403)
  })

  it('refuses bodies that make no sense, and addresses that the operator does not allow', async () => {
    const webhook = { url: `${origin}/` }
    const quiet = { minutes: 30 }
    for (const [body, field] of [
      [{ name: 'A', webhook }, 'fall'],
      [{ name: 'A', quiet, report: {}, webhook }, 'report'],
      [{ name: 'A', quiet }, 'webhook'],
      [{ name: 'A', quiet, webhook: { url: 'http://169.254.169.254/' } }, 'webhook.url'],
      [{ name: 'A', quiet, webhook: { url: `${origin}@evil.example/` } }, 'webhook.url'],
      [{ name: 'A', quiet, email: { to: ['a@b.example'] } }, 'email'],
      [{ name: 'A', quiet, webhook, email: { to: ['a@b.example\r\nBcc: c@d.example'] } }, 'email.to[0]'],
      [{ name: 'A', quiet: { minutes: 90, hours: { from: 8, to: 9 } }, webhook }, 'quiet.minutes'],
      [{ name: 'A', quiet: { minutes: 30, hours: { from: 9, to: 9 } }, webhook }, 'quiet.hours.to'],
      [{ name: 'A', quiet: { minutes: 1 }, webhook }, 'quiet.minutes'],
      [{ name: 'A', quiet, webhook, secret: 'x' }, 'secret'],
    ] as const) {
      const answer = await hopper.send('POST', path, body, admin)
      expect([body, answer.status, answer.body]).toMatchObject([
        body,
        400,
        { error: { details: { fields: [{ field }] } } },
      ])
    }
    const unknown = await hopper.send('POST', path, { name: 'A', fall: { funnel: 'nope' }, webhook }, admin)
    expect(unknown.body).toMatchObject({ error: { code: 'HOP_FUNNEL_UNKNOWN' } })
    const { id } = await create({ name: 'Quiet', quiet })
    expect((await hopper.send('PATCH', `${path}/${id}`, { report: {} }, admin)).status).toBe(400)
    expect((await hopper.send('PATCH', `${path}/${id}`, { webhook: null }, admin)).status).toBe(400)
  })

  it('sends a test now and answers how it went, but not again at once', async () => {
    const { id, webhook_secret } = await create({ name: 'Quiet', quiet: { minutes: 30 } })
    const { status: code, body } = await hopper.send('POST', `${path}/${id}/test`, undefined, admin)
    const { notice } = body as { notice: Notice }
    expect([code, notice.deliveries]).toEqual([
      200,
      [{ channel: 'webhook', state: 'delivered', attempts: 1, at: NOW, status: 204 }],
    ])
    const key = Buffer.from(webhook_secret!.slice('whsec_'.length), 'base64')
    const [message] = received as [Received]
    expect(message.signature).toBe(`v1,${createHmac('sha256', key).update(message.signed).digest('base64')}`)
    expect(message.body).toMatchObject({ type: 'alert.test', data: { app: 'shop', alert: { id, name: 'Quiet' } } })
    const soon = await hopper.send('POST', `${path}/${id}/test`, undefined, admin)
    expect([soon.status, soon.headers['retry-after']]).toEqual([429, '5'])
    hopper.clock += 5_000
    status = () => 500
    const failed = await hopper.send('POST', `${path}/${id}/test`, undefined, admin)
    expect((failed.body as { notice: Notice }).notice.deliveries).toMatchObject([
      { state: 'failed', fault: 'status', status: 500 },
    ])
    const { notices } = await one({ id })
    expect(notices.map(({ kind, deliveries }) => [kind, deliveries[0]!.state, deliveries[0]!.fault])).toEqual([
      ['test', 'failed', 'status'],
      ['test', 'delivered', undefined],
    ])
    await hopper.send('DELETE', `${path}/${id}`, undefined, admin)
    expect(await hopper.storage.registry.alertTests.list('shop')).toEqual([])
  })
})

describe('no events for a while', () => {
  it('is reported once, and its end is reported once', async () => {
    const alert = await create({ name: 'Quiet', quiet: { minutes: 30 } })
    await archive(NOW - 29 * MINUTE_MS)
    await run()
    expect(received).toEqual([])
    expect((await one(alert)).state).toMatchObject({ check: 'ok', checked_at: NOW })
    for (let minute = 2; minute < 6; minute++) {
      hopper.clock = NOW + minute * MINUTE_MS
      // An event of a bot does not count.
      await archive(hopper.clock - MINUTE_MS, true)
      await run()
    }
    expect(received.map(({ body }) => body.type)).toEqual(['alert.fired'])
    await archive(hopper.clock - 1)
    for (let i = 0; i < 3; i++) {
      hopper.clock += MINUTE_MS
      await run()
    }
    expect(received.map(({ body }) => body.type)).toEqual(['alert.fired', 'alert.recovered'])
    const { state, notices } = await one(alert)
    expect(state).toMatchObject({ check: 'ok', fired_at: NOW + 2 * MINUTE_MS, recovered_at: NOW + 6 * MINUTE_MS })
    expect(notices.map(({ kind, deliveries }) => [kind, deliveries[0]!.state])).toEqual([
      ['recovered', 'delivered'],
      ['fired', 'delivered'],
    ])
    expect(await hopper.metrics()).toContain('hopper_alert_deliveries_total{channel="webhook",outcome="delivered"} 2')
  })

  it('is claimed within the hours of the app only', async () => {
    // 12:00 UTC is 14:00 in Berlin
    const inside = await create({ name: 'In', quiet: { minutes: 30, hours: { from: 13, to: 15 } } })
    const before = await create({ name: 'Not yet', quiet: { minutes: 60, hours: { from: 13, to: 15 } } })
    const after = await create({ name: 'Over', quiet: { minutes: 30, hours: { from: 8, to: 13 } } })
    await run()
    const checks = await Promise.all([inside, before, after].map(async (alert) => (await one(alert)).state?.check))
    expect(checks).toEqual(['firing', 'firing', 'paused'])
    await hopper.send('DELETE', `${path}/${before.id}`, undefined, admin)
    const late = await create({ name: 'Not yet', quiet: { minutes: 61, hours: { from: 13, to: 15 } } })
    hopper.clock += 1
    await run()
    expect((await one(late)).state?.check).toBe('paused')
  })

  it('is reported once by two processes that check at the same moment', async () => {
    await create({ name: 'Quiet', quiet: { minutes: 30 } })
    const runners = [hopper.app.get(AlertRunner), await otherProcess(), await otherProcess()]
    for (let minute = 0; minute < 4; minute++) {
      hopper.clock = NOW + minute * MINUTE_MS
      await Promise.all(runners.map((runner) => runner.runAll()))
    }
    expect(received).toHaveLength(1)
  })

  it('is stored before it is sent, and sent by the next process with the same id when the first one ends', async () => {
    const alert = await create({ name: 'Quiet', quiet: { minutes: 30 } })
    const stored: unknown[] = []
    // as a process that is killed while it sends leaves it
    status = async () => {
      const record = await hopper.storage.registry.alertRecords.get('shop', alert.id)
      stored.push(record?.notices.map(({ deliveries }) => deliveries[0]!.state))
      return 503
    }
    await run()
    expect(stored).toEqual([['pending']])
    expect((await one(alert)).notices[0]!.deliveries).toMatchObject([
      { state: 'pending', attempts: 1, fault: 'status', status: 503 },
    ])
    const next = await otherProcess()
    await next.runAll()
    expect(received).toHaveLength(1)
    hopper.clock += 2 * MINUTE_MS
    status = () => 200
    await next.runAll()
    await next.runAll()
    expect(received.map(({ id }) => id)).toEqual([received[0]!.id, received[0]!.id])
    expect((await one(alert)).notices[0]!.deliveries).toMatchObject([{ state: 'delivered', attempts: 2 }])
  })

  it('control: without claims two processes send twice', async () => {
    await create({ name: 'Quiet', quiet: { minutes: 30 } })
    const everything = { claim: () => Promise.resolve(true), release: () => Promise.resolve() }
    const storage = { ...hopper.storage, registry: { ...hopper.storage.registry, claims: everything } }
    const options = { clock: () => hopper.clock, alerts: alertOptions() }
    for (let i = 0; i < 2; i++) others.push(await apiOver(storage, { ...options, metrics: new Registry() }))
    // both have read the record before either has sent
    const both = Promise.withResolvers<number>()
    status = () => {
      if (received.length === 2) both.resolve(200)
      return both.promise
    }
    await Promise.all(others.map((api) => api.get(AlertRunner).runAll()))
    expect(received).toHaveLength(2)
  })

  it('is recorded, but not sent, while the alert is silenced', async () => {
    const alert = await create({ name: 'Quiet', quiet: { minutes: 30 } })
    await hopper.send('PATCH', `${path}/${alert.id}`, { silenced_until: NOW + HOUR_MS }, admin)
    await run()
    expect([received, (await one(alert)).notices]).toMatchObject([[], [{ kind: 'fired', silenced: true }]])
  })
})

describe('an e-mail', () => {
  it('is sent beside the webhook, and each is retried separately', async () => {
    const subjects: string[] = []
    let isFull = true
    const mail = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onRcptTo: (_, __, callback) => callback(isFull ? Object.assign(new Error('later'), { responseCode: 451 }) : null),
      onData: (stream, _, callback) => {
        const parts: Buffer[] = []
        stream.on('data', (part: Buffer) => parts.push(part))
        stream.on('end', () => {
          subjects.push(/^Subject: (.*)\r$/m.exec(Buffer.concat(parts).toString())![1]!)
          callback()
        })
      },
    })
    await new Promise<void>((resolve) => void mail.listen(0, '127.0.0.1', resolve))
    const url = `smtp://127.0.0.1:${(mail.server.address() as AddressInfo).port}`
    const options = {
      clock: () => hopper.clock,
      alerts: { ...alertOptions(), mail: { url, from: 'hopper@shop.example' } },
    }
    const api = await apiOver(hopper.storage, { ...options, metrics: new Registry() })
    others.push(api)
    const payload = { name: 'Both', quiet: { minutes: 30 }, webhook: { url: origin }, email: { to: ['ann@x.example'] } }
    const { id } = (await api.inject({ method: 'POST', url: path, payload, headers: admin })).json<ChangedAlert>()
    const runner = api.get(AlertRunner)
    await runner.runAll()
    expect((await one({ id })).notices[0]!.deliveries).toMatchObject([
      { channel: 'webhook', state: 'delivered', attempts: 1 },
      { channel: 'email', state: 'pending', attempts: 1, fault: 'mail_refused', status: 451 },
    ])
    isFull = false
    hopper.clock += 2 * MINUTE_MS
    await runner.runAll()
    expect((await one({ id })).notices[0]!.deliveries).toMatchObject([
      { attempts: 1 },
      { state: 'delivered', attempts: 2 },
    ])
    expect([received.length, subjects]).toEqual([1, ['Shop: no events for 30 minutes']])
    await new Promise<void>((resolve) => mail.close(resolve))
  })
})

interface Visit {
  readonly week: number
  readonly device: 'mobile' | 'desktop'
  readonly buys: boolean
}

/** Archives one visit each: /home, and for those who buy /buy a minute later. Week 0 is 23 to 29 March. */
async function archiveVisits(visits: readonly Visit[]): Promise<void> {
  const byWeek = [...Map.groupBy(visits, ({ week }) => week)].sort(([a], [b]) => b - a)
  const lease = await hopper.storage.lanes.acquire(1, 'test')
  let first = 0
  for (const [week, group] of byWeek) {
    const day = Date.UTC(2026, 2, 25) - week * 7 * DAY_MS
    const rows: ArchivedEvent[] = []
    group.forEach(({ device, buys }, i) =>
      (buys ? ['/home', '/buy'] : ['/home']).forEach((page, step) => {
        const timestamp = day + i * 1_000 + step * MINUTE_MS
        const to = `https://shop.example${page}`
        rows.push({
          event: {
            type: 'url_change',
            event_id: `${week}-${i}-${step}`,
            timestamp,
            seq: step,
            from: '',
            to,
            elapsed_time: 0,
          },
          device_id: `w${week}-${i}`,
          user: '',
          context: { device, browser: 'Firefox', os: 'Linux' },
          received_at: timestamp,
          position: first + rows.length,
          index: 0,
        })
      }),
    )
    const date = new Date(day).toISOString().slice(0, 10)
    const cover = { app: 'shop', date, lane: 1, first_position: first, last_position: first + rows.length - 1 }
    await hopper.storage.archive!.append(lease, encodeChunks(rows, cover))
    first += rows.length
  }
  await hopper.storage.lanes.release(lease)
}

const visitsOf = (week: number, device: Visit['device'], n: number, buyers: number): Visit[] =>
  Array.from({ length: n }, (_, i) => ({ week, device, buys: i < buyers }))

const buy = {
  id: 'buy',
  name: 'Buy',
  stages: [
    { id: 1, name: 'Home', url: '/home' },
    { id: 2, name: 'Bought', url: '/buy' },
  ],
}

describe('a fall of a rate', () => {
  const fall = { funnel: 'buy', period: 'week', window_ms: HOUR_MS }
  beforeEach(() => hopper.storage.registry.funnels.put('shop', 'buy', buy))

  it('beyond chance is reported once for the week, with the stage and the value that cause it', async () => {
    const visits = [
      ...[1, 2, 3, 4].flatMap((week) => [...visitsOf(week, 'mobile', 100, 40), ...visitsOf(week, 'desktop', 100, 40)]),
      ...visitsOf(0, 'mobile', 100, 5),
      ...visitsOf(0, 'desktop', 100, 40),
    ]
    await archiveVisits(visits)
    const alert = await create({ name: 'Fall', fall })
    for (let i = 0; i < 3; i++) {
      await run()
      hopper.clock += 10 * MINUTE_MS
    }
    expect(received.map(({ body }) => body.type)).toEqual(['alert.fired'])
    // computed apart: (45 of 200) against (320 of 800), pooled
    const pooled = 365 / 1_000
    const z = (320 / 800 - 45 / 200) / Math.sqrt(pooled * (1 - pooled) * (1 / 200 + 1 / 800))
    const { data } = received[0]!.body
    expect(data).toMatchObject({
      funnel: 'buy',
      period: { from: '2026-03-23', to: '2026-03-29' },
      now: { starts: 200, finished: 45 },
      before: { starts: 800, finished: 320, periods: 4 },
      stage: { stage: 2, name: 'Bought', rate_now: 0.225, rate_before: 0.4 },
      segment: { key: 'device', value: 'mobile', rate_now: 0.05, rate_before: 0.4, starts: 100 },
    })
    expect(data['z']).toBeCloseTo(z, 10)
    expect(data['p']).toBeLessThan(0.00001)
    expect(data['text']).toContain('Most of it by device “mobile”: 5.0 %, was 40.0 %; about 100 % of the fall.')
    expect((await one(alert)).state).toMatchObject({ check: 'firing', fired_at: NOW })
  })

  it('that can be chance, or has too few starts, is not reported', async () => {
    const before = [1, 2, 3, 4].flatMap((week) => visitsOf(week, 'mobile', 120, 48))
    await archiveVisits([...before, ...visitsOf(0, 'mobile', 120, 44)])
    const chance = await create({ name: 'Chance', fall })
    const few = await create({ name: 'Few', fall: { ...fall, sample_min: 121 } })
    await run()
    expect(received).toEqual([])
    expect((await one(chance)).state).toMatchObject({
      check: 'ok',
      detail: expect.stringContaining('P = 0.2') as string,
    })
    expect((await one(few)).state).toMatchObject({ check: 'few' })
  })

  it('of a funnel that is gone is shown as a failed check', async () => {
    const alert = await create({ name: 'Fall', fall })
    await hopper.storage.registry.funnels.remove('shop', 'buy')
    await run()
    expect((await one(alert)).state).toMatchObject({
      check: 'failed',
      detail: expect.stringContaining('No such funnel') as string,
    })
    expect(await hopper.metrics()).toContain('hopper_alert_checks_total{check="failed"} 1')
  })
})

describe('the weekly report', () => {
  it('is sent on Monday at its hour, once, with rates and differences', async () => {
    await hopper.storage.registry.funnels.put('shop', 'buy', buy)
    await archiveVisits([...visitsOf(1, 'mobile', 200, 80), ...visitsOf(0, 'mobile', 200, 45)])
    // created in the week before, so that the first Monday is 30 March
    hopper.clock = Date.UTC(2026, 2, 25, 12)
    const alert = await create({ name: 'Weekly', report: { hour: 8 } })
    await run()
    expect([received, (await one(alert)).state]).toEqual([[], undefined])
    hopper.clock = Date.UTC(2026, 2, 30, 5, 59)
    await run()
    expect(received).toEqual([])
    for (const hour of [6, 7, 30, 60]) {
      hopper.clock = Date.UTC(2026, 2, 30, hour)
      await run()
    }
    expect(received.map(({ id, body }) => [id, body.type])).toEqual([[`${alert.id}-report-2026-03-23`, 'alert.report']])
    const text = received[0]!.body.data['text'] as string
    expect(text).toContain('Buy: 22.5 % of 200 (−17.5 points: beyond chance)')
    expect(received[0]!.body.data['week']).toMatchObject({ from: '2026-03-23', to: '2026-03-29' })
  })
})
