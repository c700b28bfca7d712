import { openEmbedded } from '@hopper/storage/embedded'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { archiveSketches, type Sketch } from './testing/archived.fixture.ts'
import { keys, openInstallation, type Installation } from './testing/installation.fixture.ts'

// threads start from the sources, which is slow on busy machines
vi.setConfig({ testTimeout: 60_000 })

let hopper: Installation
let url: string
const DATE = '2026-03-28'
const T0 = Date.UTC(2026, 2, 28, 9)
const headers = { authorization: `Bearer ${keys.read}` }
const ROWS = 60_000

beforeAll(async () => {
  hopper = await openInstallation(openEmbedded)
  await archiveSketches(hopper.storage, 'shop', 0, DATE, 0, [
    { device: 'a', time: T0, data: { text: '=HYPERLINK("x")' }, user: '+ann' },
    { device: 'b', time: T0 + 1, data: { text: 'ü,"' } },
  ])
  // 12 MB of distinct texts per date, so that an export is much larger than any buffer
  for (let day = 1; day <= 4; day++) {
    const rows = Array.from({ length: ROWS / 4 }, (_, i): Sketch => ({
      device: `d${i % 100}`,
      time: Date.UTC(2026, 1, day, 9) + i,
      data: { text: `${day}-${i}-${'x'.repeat(800)}` },
    }))
    await archiveSketches(hopper.storage, 'shop', 0, `2026-02-0${day}`, day * 100_000, rows)
  }
  await hopper.app.listen(0, '127.0.0.1')
  url = `${await hopper.app.getUrl()}/api/v1/apps/shop`
}, 120_000)
afterAll(() => hopper.close())

test('an export in each format has the events of the range and a file name', async () => {
  const open = (format: string): Promise<Response> =>
    fetch(`${url}/export?format=${format}&from=${DATE}&to=${DATE}`, { headers })
  const csv = await open('csv')
  expect([csv.headers.get('content-type'), csv.headers.get('content-disposition')]).toEqual([
    'text/csv; charset=utf-8',
    `attachment; filename="hopper-shop-${DATE}-${DATE}.csv"`,
  ])
  const lines = (await csv.text()).trimEnd().split('\r\n')
  expect(lines).toHaveLength(3)
  expect(lines.join()).toContain(",'+ann,")
  const ndjson = (await open('ndjson').then((answer) => answer.text()))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as object)
  expect(ndjson).toMatchObject([
    { event_id: 'a-0', user: '+ann', data: { text: '=HYPERLINK("x")' }, lane: 0, position: 0 },
    { event_id: 'b-1', data: { text: 'ü,"' } },
  ])
  // the markers at the start and end of an Arrow stream; the encoder's own tests decode its content
  const arrow = Buffer.from(await (await open('arrow')).arrayBuffer()).toString('hex')
  expect([arrow.slice(0, 8), arrow.slice(-16)]).toEqual(['ffffffff', 'ffffffff00000000'])
  expect(arrow).toContain(Buffer.from('a-0b-1').toString('hex'))
  expect((await open('xml')).status).toBe(400)
  expect(
    await fetch(`${url}/export?format=csv&from=2025-01-01&to=2025-01-01`, { headers }).then((answer) => answer.text()),
  ).toMatch(/^event_id,[^\n]*\r\n$/)
})

test('an export is read no faster than its client reads, is complete, and ends when the client leaves', async () => {
  const reads = countReads()
  const slow = await fetch(`${url}/export?format=ndjson&from=2026-02-01&to=2026-02-04`, { headers })
  const reader = slow.body!.getReader()
  await reader.read()
  // buffers of the sockets and the stream between the archive and a client that has read one piece
  expect(reads()).toBeLessThan(4)
  let lines = 0
  for (let part = await reader.read(); !part.done; part = await reader.read())
    lines += Buffer.from(part.value).filter((byte) => byte === 10).length
  expect(lines).toBeGreaterThan(ROWS - 1_000)
  expect(reads()).toBe(4)

  const leaving = new AbortController()
  const left = await fetch(`${url}/export?format=ndjson&from=2026-02-01&to=2026-02-04`, {
    headers,
    signal: leaving.signal,
  })
  leaving.abort()
  await expect(left.text()).rejects.toThrow()
  const again = await fetch(`${url}/export?format=csv&from=${DATE}&to=${DATE}`, { headers })
  expect((await again.text()).split('\r\n')).toHaveLength(4)
}, 120_000)

/** Counts the chunks read from the archive from now on. */
function countReads(): () => number {
  let reads = 0
  const archived = hopper.storage.archive!
  const columns = archived.columns.bind(archived)
  archived.columns = (chunk, names) => {
    reads++
    return columns(chunk, names)
  }
  return () => reads
}
