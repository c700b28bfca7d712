import { createHmac } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Writable } from 'node:stream'
import { provision } from '@hopper/api'
import { decodeEnvelope, type Envelope } from '@hopper/contracts'
import { ingestPlugin } from '@hopper/ingest'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { dumpInstallation } from '../export/dump.ts'
import { findText } from '@hopper/storage/contract/found-text'
import { withApi } from '../testing/api.fixture.ts'
import { makeInstallation, type Installation } from '../testing/installation.fixture.ts'
import { createServer } from './server.ts'

// aggregator, archive, dump and API of one installation
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const address = '203.0.113.77'
const agent = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36'
const keys = { write: 'hw_berlin_0123456789abcdef', read: 'hr_berlin_0123456789abcdef' }
const DAY = 86_400_000
const firstDay = Date.UTC(2026, 2, 28)

let installation: Installation
let server: ReturnType<typeof createServer>
let now = firstDay + DAY / 2
let output = ''
beforeAll(async () => {
  installation = await makeInstallation()
  const { log, registry, secrets, health } = installation.storage
  const app = { id: 'berlin', name: 'Berlin', write_key: keys.write, read_key: keys.read }
  await provision(registry, { organizations: [{ id: 'acme', name: 'Acme', apps: [app] }] })
  const sink = new Writable({
    write: (chunk, _, done) => {
      output += String(chunk)
      done()
    },
  })
  const logger = pino({ level: 'trace' }, sink)
  server = createServer(logger, 1)
  const metrics = new Registry()
  await server.register(ingestPlugin, { log, registry, secrets, health, logger, metrics, clock: () => now })
})
afterAll(async () => {
  await server.close()
  await installation[Symbol.asyncDispose]()
})

let events = 0
async function send(more: object = {}, payload?: string): Promise<number> {
  const event = { type: 0, event_id: `e${events++}`, timestamp: now, seq: 0, name: 'seen', ...more }
  const answer = await server.inject({
    method: 'POST',
    url: `/v1/events?key=${keys.write}`,
    headers: { 'content-type': 'text/plain', 'user-agent': agent, 'x-forwarded-for': address },
    payload: payload ?? JSON.stringify({ cookieless: true, sent_at: now, events: [event] }),
  })
  return answer.statusCode
}

async function envelopes(): Promise<Envelope[]> {
  const { log } = installation.storage
  const lanes = await Promise.all([...Array(log.lanes).keys()].map((lane) => log.read(lane, 0, 1_000)))
  return lanes.flat().map(({ value }) => decodeEnvelope(value))
}

const deviceOf = async (index: number): Promise<string> =>
  (await envelopes()).find(({ received_at, events: own }) => received_at === index && own.length > 0)!.device_id

/** Everything that leaves an installation: the dump of all of it, and the export of the app's events. */
async function exported(): Promise<string> {
  let text = ''
  const report = { onLeftOut: () => undefined, onDone: () => undefined }
  for await (const line of dumpInstallation(installation.storage, {}, report)) text += line
  return withApi(
    installation.storage,
    async (api) => {
      const url = '/api/v1/apps/berlin/export?format=ndjson&from=2026-03-28&to=2026-04-01'
      const answer = await api.inject({ url, headers: { authorization: `Bearer ${keys.read}` } })
      expect(answer.statusCode).toBe(200)
      return text + answer.body
    },
    () => now,
  )
}

/** The secrets in the data directory, which anybody who obtains the directory has too. */
function storedSecrets(): Buffer[] {
  const database = new DatabaseSync(join(installation.dir, 'secrets.db'), { readOnly: true })
  const rows = database.prepare('SELECT secret FROM secrets').all()
  database.close()
  return rows.map(({ secret }) => Buffer.from(secret as Uint8Array))
}

/** Devices that somebody derives who knows the address and the browser of a visitor, and all of the secrets. */
function derivable(secrets: readonly Buffer[]): string[] {
  return secrets.map((secret) => {
    const bytes = createHmac('sha256', secret)
      .update(JSON.stringify(['berlin', address, agent]))
      .digest()
    bytes[6] = (bytes[6]! & 0x0f) | 0x80
    bytes[8] = (bytes[8]! & 0x3f) | 0x80
    return bytes.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  })
}

it('two days of a visitor cannot be joined, and nothing that is kept has its address', async () => {
  const first = now
  expect(await send()).toBe(202)
  expect(await send({ type: 9 })).toBe(202)
  expect(await send({}, '{')).toBe(400)
  const firstDevice = await deviceOf(first)
  // anybody who has the salt and knows the visitor could compute the device: so the salt must be deleted
  const firstSalts = storedSecrets()
  expect(derivable(firstSalts)).toContain(firstDevice)

  const second = (now = firstDay + 1.5 * DAY)
  expect(await send()).toBe(202)
  const secondDevice = await deviceOf(second)
  expect(secondDevice).not.toBe(firstDevice)

  now = firstDay + 2 * DAY
  expect(await send()).toBe(202)
  const remaining = derivable(storedSecrets())
  expect(remaining).toContain(secondDevice)
  expect(remaining).not.toContain(firstDevice)
  const lost = firstSalts.filter((salt) => derivable([salt])[0] === firstDevice)
  expect(lost).toHaveLength(1)
  for (const file of readdirSync(installation.dir))
    expect(readFileSync(join(installation.dir, file)).includes(lost[0]!), file).toBe(false)

  await installation.count()
  expect(findText(installation.dir, address)).toEqual([])
  const everything = await exported()
  expect(everything).toContain(firstDevice)
  expect(everything).not.toContain(address)
  for (const salt of storedSecrets())
    for (const text of [salt.toString('hex'), salt.toString('base64'), salt.toString('base64url')])
      expect(everything + output).not.toContain(text)
  expect(output).not.toContain(address)
})

it('control: an address that is stored would be found in log, archive and export', async () => {
  expect(await send({ name: `from ${address}` })).toBe(202)
  await installation.count()
  const found = findText(installation.dir, address).join('\n')
  expect(found).toMatch(/log\.db/)
  expect(found).toMatch(/tables\.db/)
  expect(await exported()).toContain(address)
})
