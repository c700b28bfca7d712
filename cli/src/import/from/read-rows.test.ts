import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { readCsv } from './read-csv.ts'
import { readJson } from './read-json.ts'
import { readNdjson } from './read-ndjson.ts'
import type { Row } from './row.ts'

/** Cuts a text anywhere, also within a character. */
async function* parts(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text)
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size)
}

async function all(rows: AsyncIterable<readonly Row[]>): Promise<Row[]> {
  const found: Row[] = []
  for await (const part of rows) found.push(...part)
  return found
}

const values = fc.array(
  fc.dictionary(fc.string({ unit: 'grapheme' }), fc.oneof(fc.string({ unit: 'grapheme' }), fc.jsonValue()), {
    maxKeys: 3,
  }),
  { minLength: 1, maxLength: 8 },
)
const size = fc.integer({ min: 1, max: 40 })
/** as JSON has them: without negative zeros and prototypes */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

it('reads the same rows from lines and from lists of JSON, wherever the file is cut', async () => {
  await fc.assert(
    fc.asyncProperty(values, size, fc.constantFrom('', ' ', '\n'), async (objects, bytes, space) => {
      const texts = objects.map((each) => JSON.stringify(each))
      const wanted = plain(objects)
      const forms = [
        texts.join('\n'),
        `\n${texts.join('\r\n')}\n`,
        `${space}[${space}${texts.join(`${space},${space}`)}${space}]\n`,
      ]
      for (const form of forms)
        expect((await all(readJson(parts(form, bytes)))).map(({ value }) => value)).toEqual(wanted)
    }),
  )
})

it('keeps every digit of a whole number', async () => {
  const rows = await all(readJson(parts('{"id":9007199254740993}\n{"id":9007199254740992}\n', 7)))
  expect(rows.map(({ value }) => value)).toEqual([{ id: '9007199254740993' }, { id: 9007199254740992 }])
})

it('finds the list within an object, and says when it is not closed', async () => {
  const results = '{"next": null, "results": [{"a": "[,]{"}, {"b": [1, {"c": "\\"]"}]}], "other": [3]}'
  const { readJsonList } = await import('./read-json-list.ts')
  expect((await all(readJsonList(parts(results, 3)))).map(({ value }) => value)).toEqual([
    { a: '[,]{' },
    { b: [1, { c: '"]' }] },
  ])
  expect(await all(readJsonList(parts('{"results": []}', 3)))).toEqual([])
  const more = await all(readJsonList(parts('[{"a":1}]\n{"b":2}\n', 3)))
  expect(more.map(({ number, flaw }) => [number, flaw])).toEqual([
    [1, undefined],
    [2, 'is behind the end of the list, and so is all that follows'],
  ])
  const cut = await all(readJsonList(parts('[{"a":1},{"b":', 4)))
  expect(cut.map(({ value, flaw }) => [value, flaw?.replace(/\(.*/, '')])).toEqual([
    [{ a: 1 }, undefined],
    [undefined, 'is not JSON '],
    [undefined, 'is missing: the file ends within its list'],
  ])
})

it('reads CSV as RFC 4180 says, wherever the file is cut', async () => {
  const cell = fc.string({ unit: fc.constantFrom('a', 'ä', '"', ',', '\n', ' ', '\u{1f600}'), maxLength: 5 })
  const table = fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 6 })
  const quoted = (text: string): string => (text === '' ? '' : `"${text.replaceAll('"', '""')}"`)
  await fc.assert(
    fc.asyncProperty(table, size, async (records, bytes) => {
      const csv = ['a,b,c', ...records.map((record) => record.map(quoted).join())].join('\r\n')
      const rows = await all(readCsv(parts(csv, bytes), ',', (columns) => expect(columns).toEqual(['a', 'b', 'c'])))
      const wanted = records.map((record) =>
        Object.fromEntries(
          ['a', 'b', 'c'].flatMap((name, index) => (record[index] === '' ? [] : [[name, record[index]]])),
        ),
      )
      expect(rows.map(({ value }) => value)).toEqual(wanted)
    }),
  )
})

it('names rows of CSV with too many or too few cells, and continues', async () => {
  const rows = await all(readCsv(parts('a,b\n1,2\n1,2,3\n1\n3,4', 2), ',', () => undefined))
  expect(rows.map(({ number, value, flaw }) => [number, value, flaw])).toEqual([
    [2, { a: '1', b: '2' }, undefined],
    [3, undefined, 'has 3 cells, its header has 2'],
    [4, undefined, 'has 1 cells, its header has 2'],
    [5, { a: '3', b: '4' }, undefined],
  ])
})

it('drops a row that is too long, and continues behind it', async () => {
  async function* long(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('{"n":1}\n"')
    for (let part = 0; part < 300; part++) yield Buffer.alloc(10_000, 0x78)
    yield Buffer.from('"\n{"n":2}')
  }
  const rows = await all(readNdjson(long()))
  expect(rows.map(({ number, value, flaw }) => [number, value, flaw])).toEqual([
    [1, { n: 1 }, undefined],
    [2, undefined, 'has more than 1000000 bytes'],
    [3, { n: 2 }, undefined],
  ])
})
