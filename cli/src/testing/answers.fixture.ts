import type { Storage } from '@hopper/storage'
import { expect } from 'vitest'
import { withApi, type Api } from './api.fixture.ts'
import { RANGE } from './installation.fixture.ts'
import { dumpInstallation } from '../export/dump.ts'
import { exportApp } from '../export/export-app.ts'
import { importDump } from '../import/import-dump.ts'
import { splitLines } from '../import/read-lines.ts'

const APPS = ['berlin', 'kathmandu'] as const
const keyOf = (app: string): string => `hr_${app}-read-key-0001`
const stages = [
  { id: 0, name: 'zero', url: '/' },
  { id: 1, name: 'one', url: '/a' },
  { id: 2, name: 'two', click: '#b' },
]
const funnels = [{ id: 'f', name: 'F', stages }]
const elements = [{ name: 'A', xpath: '//a[1]' }]
/** Both apps of the random traffic, with keys that may read them. */
export const registryFile = {
  organizations: [
    {
      id: 'acme',
      name: 'Acme',
      admin_key: 'ha_acme-administration',
      apps: [
        {
          id: 'berlin',
          name: 'Berlin',
          timezone: 'Europe/Berlin',
          read_key: keyOf('berlin'),
          write_key: 'hw_berlin-write-key-1',
          keep_parameters: ['ref'],
          funnels,
          elements,
        },
        {
          id: 'kathmandu',
          name: 'Kathmandu',
          timezone: 'Asia/Kathmandu',
          read_key: keyOf('kathmandu'),
          write_key: 'hw_nepal-write-key-01',
          funnels,
          elements,
        },
      ],
    },
  ],
}
const range = `from=${RANGE.from}&to=${RANGE.to}`
const requests = [
  'stages/users',
  'stages/conversion',
  'stages/time',
  'stages/graph',
  'elements/actions',
  'elements/durations?xpath=//a[1]',
  'elements/twins',
  'pages/views',
  'clicks',
  'agents?by=browser',
  'agents?by=country',
  'traffic?by=hour',
  'traffic?by=day',
  'stages/users?count_by=device',
  'funnels',
  'elements',
  'journeys',
  'sources?by=channel',
  'sources?by=referrer',
  'loss',
  'loss?by=country',
  'properties',
  'alerts',
  'persons?limit=500',
]

const withoutRange: ReadonlySet<string> = new Set(['funnels', 'elements', 'properties', 'alerts'])

const clock = (): number => Date.parse('2026-04-20T00:00:00Z')

/** Returns the API's answers to every kind of request. */
export function answersOf(storage: Storage): Promise<string[]> {
  return withApi(storage, allAnswers, clock)
}

async function allAnswers(api: Api): Promise<string[]> {
  const answers: string[] = []
  for (const app of APPS) {
    const headers = { authorization: `Bearer ${keyOf(app)}` }
    for (const request of requests) {
      const path = withoutRange.has(request) ? request : `${request}${request.includes('?') ? '&' : '?'}${range}`
      const { statusCode, body } = await api.inject({ url: `/api/v1/apps/${app}/${path}`, headers })
      answers.push(`${app} ${request} ${statusCode} ${body}`)
    }
    const steps = ['/', '/a'].map((to) => ({ name: to, filters: [{ type: 'eq', key: 'to', value: to }] }))
    const payload = { from: RANGE.from, to: RANGE.to, steps }
    const { statusCode, body } = await api.inject({
      method: 'POST',
      url: `/api/v1/apps/${app}/funnels/query`,
      headers,
      payload,
    })
    answers.push(`${app} funnels/query ${statusCode} ${body}`)
  }
  return answers
}

export async function collect<T>(parts: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const part of parts) all.push(part)
  return all
}

export async function dumpOf(storage: Storage): Promise<string> {
  return (
    await collect(
      dumpInstallation(storage, {}, { onLeftOut: (message) => expect.fail(message), onDone: () => undefined }),
    )
  ).join('')
}

/** Every archived event of an app of the random traffic as a line of JSON, sorted. */
export async function exportedEvents(storage: Storage, app: (typeof APPS)[number] = 'berlin'): Promise<string[]> {
  const parts = exportApp({ ...storage, archive: storage.archive! }, (await storage.registry.app(app))!, {
    format: 'ndjson',
  })
  return Buffer.concat(await collect(parts))
    .toString()
    .split('\n')
    .filter(Boolean)
    .sort()
}

/** Imports a dump, read in parts that cut its lines anywhere. */
export async function readDump(storage: Storage, dump: string): Promise<void> {
  await importDump(storage, splitLines(parts(dump)), () => undefined)
}

async function* parts(dump: string): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(dump)
  for (let start = 0; start < bytes.length; start += 997) yield bytes.subarray(start, start + 997)
}
