import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openEmbedded } from '@hopper/storage/embedded'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { makeInstallation, traffic, type Installation } from '../testing/installation.fixture.ts'
import { collect } from '../testing/answers.fixture.ts'
import { dumpInstallation } from './dump.ts'
import { exportApp } from './export-app.ts'
import { repetitions } from '@hopper/storage/contract/repetitions'

const PAGE_BYTES = 4_096
const [sample] = fc.sample(traffic, { numRuns: 20, seed: 13 }).filter((envelopes) => envelopes.length > 20)

const exported = {
  'log.db': async (dir: string) => {
    await using opened = await open(dir)
    const lines = (
      await collect(
        dumpInstallation(opened.storage, {}, { onLeftOut: (message) => expect.fail(message), onDone: () => undefined }),
      )
    ).slice(1, -1)
    return lines.join('')
  },
  'tables.db': async (dir: string) => {
    await using opened = await open(dir)
    const app = (await opened.storage.registry.app('berlin'))!
    const parts = await collect(
      exportApp({ ...opened.storage, archive: opened.storage.archive! }, app, { format: 'ndjson' }),
    )
    return parts.map((part) => Buffer.from(part).toString()).join('')
  },
}

it.each(['log.db', 'tables.db'] as const)(
  'an export of a directory with a broken page in %s is complete or fails',
  async (file) => {
    await using installation = await openFilled()
    const { dir } = installation
    const whole = await exported[file](dir)
    expect(whole.length).toBeGreaterThan(20_000)
    const before = await readFile(join(dir, file))
    const pages = before.length / PAGE_BYTES
    let failed = 0
    for (let page = 0; page < pages; page += Math.ceil(pages / repetitions(45))) {
      const openFilled = Buffer.from(before).fill(0x5a, page * PAGE_BYTES, (page + 1) * PAGE_BYTES)
      for (const damaged of file === 'log.db'
        ? [openFilled]
        : [openFilled, flipByte(before, page * PAGE_BYTES + 3_000)]) {
        await writeFile(join(dir, file), damaged)
        const outcome = await exported[file](dir).catch(() => 'failed')
        if (outcome === 'failed') failed++
        else if (outcome !== whole)
          expect.fail(
            `page ${page + 1} of ${pages} is broken, ` +
              `and the export has ${outcome.length} of ${whole.length} characters`,
          )
      }
    }
    await writeFile(join(dir, file), before)
    expect(failed).toBeGreaterThan(3)
  },
  240_000,
)

async function openFilled(): Promise<Installation> {
  const installation = await makeInstallation()
  const { storage } = installation
  const again = (n: number): typeof sample =>
    sample!.map(({ sent: _, ...each }) => ({
      ...each,
      events: each.events.map((event) => ({ ...event, event_id: `${n} ${event.event_id}` })),
    }))
  for (let n = 0; n < 40; n++) await storage.log.append(again(n)!)
  await installation.count()
  await storage.close()
  for (const file of ['log.db', 'tables.db'])
    expect((await readFile(join(installation.dir, file))).length % PAGE_BYTES).toBe(0)
  return installation
}

async function open(
  dir: string,
): Promise<AsyncDisposable & { readonly storage: Awaited<ReturnType<typeof openEmbedded>> }> {
  const storage = await openEmbedded({ dir, lanes: 2 })
  return { storage, [Symbol.asyncDispose]: () => storage.close() }
}

function flipByte(bytes: Buffer, offset: number): Buffer {
  const changed = Buffer.from(bytes)
  changed[offset] = changed[offset]! ^ 0x10
  return changed
}
