import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { standalone } from '@hopper/e2e'

const ROWS = 200_000
const RATE_MIN = 15_000
const ROUNDS = 3
const DAY_MS = 86_400_000
const provision = { organizations: [{ id: 'o', name: 'O', apps: [{ id: 'import', name: 'I', timezone: 'UTC' }] }] }

/** A view or an order of a visitor, as other products would have it. */
interface Row {
  readonly id: string
  readonly at: Date
  readonly visitor: string
  readonly name: 'viewed' | 'ordered'
  readonly url: string
  readonly price: number
}

/** Writes a row as the export of another product has it; `header` is the first line. */
interface Export {
  readonly header?: string
  readonly line: (row: Row) => string
}

const exports: Readonly<Record<string, Export>> = {
  csv: {
    header: 'event_id,timestamp,device_id,type,name,data',
    line: ({ id, at, visitor, name, url, price }) => {
      const data = JSON.stringify({ url, price }).replaceAll('"', '""')
      return `${id},${at.toISOString()},${visitor},custom,${name},"${data}"`
    },
  },
  ndjson: {
    line: ({ id, at, visitor, name, url, price }) =>
      JSON.stringify({
        event_id: id,
        timestamp: at.toISOString(),
        device_id: visitor,
        type: 'custom',
        name,
        data: { url, price },
      }),
  },
  segment: {
    line: ({ id, at, visitor, name, url, price }) =>
      JSON.stringify({
        type: 'track',
        event: name,
        messageId: id,
        anonymousId: visitor,
        timestamp: at.toISOString(),
        properties: { url, price },
        context: { userAgent: 'Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0.0.0', page: { url } },
      }),
  },
  mixpanel: {
    line: ({ id, at, visitor, name, url, price }) =>
      JSON.stringify({
        event: name,
        properties: { time: Math.floor(at.getTime() / 1_000), distinct_id: visitor, $insert_id: id, url, price },
      }),
  },
  posthog: {
    line: ({ id, at, visitor, name, url, price }) =>
      JSON.stringify({
        uuid: id,
        event: name,
        distinct_id: visitor,
        timestamp: at.toISOString(),
        properties: { $current_url: url, price },
      }),
  },
}

/** Measures how fast `hopper import --from` reads exports of other products and counts them, in a data directory. */
export async function fileImportBench(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'hopper-file-import-'))
  try {
    for (const [format, { header, line }] of Object.entries(exports)) {
      const file = join(dir, format)
      writeFileSync(file, [...(header ? [header] : []), ...rows().map(line), ''].join('\n'))
      const rates: number[] = []
      for (let round = 0; round < ROUNDS; round++) rates.push(await importRate(format, file))
      rates.sort((a, b) => a - b)
      const median = rates[ROUNDS >> 1]!
      const reached = median >= RATE_MIN
      if (!reached) process.exitCode = 1
      console.log(
        `  ${format}: ${median} events/s (${rates[0]} to ${rates.at(-1)}), ` +
          `bar ${RATE_MIN} ${reached ? 'reached' : 'NOT REACHED'}`,
      )
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Twenty rows of each visitor, in the order of time, on a few dates. */
function rows(): Row[] {
  const begin = Date.now() - 20 * DAY_MS
  const visitors = Array.from({ length: ROWS / 20 }, () => randomUUID())
  return Array.from({ length: ROWS }, (_, index) => ({
    id: randomUUID(),
    at: new Date(begin + Math.floor((index / ROWS) * 10 * DAY_MS)),
    visitor: visitors[(index * 7_919) % visitors.length]!,
    name: index % 10 === 0 ? 'ordered' : 'viewed',
    url: `https://shop.example/products/${index % 500}`,
    price: (index * 37) % 10_000,
  }))
}

/** Imports a file into a new data directory; returns the rows in a second, from the start of the command to its end. */
async function importRate(format: string, file: string): Promise<number> {
  const installation = await standalone({ provision, env: { HOPPER_DEMO: 'false', HOPPER_LOG_LEVEL: 'warn' } })
  try {
    await installation.start()
    await installation.stop('SIGTERM')
    const begin = performance.now()
    const output = await installation.run(['import', '--from', format, file])
    const rate = Math.round((ROWS / (performance.now() - begin)) * 1_000)
    const [, accepted] = /([\d,]+) accepted/.exec(output) ?? []
    if (Number(accepted?.replaceAll(',', '')) !== ROWS) throw new Error(`not all rows were accepted: ${output}`)
    return rate
  } finally {
    await installation.dispose()
  }
}
