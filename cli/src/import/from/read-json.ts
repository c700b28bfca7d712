import { readJsonList } from './read-json-list.ts'
import { readNdjson } from './read-ndjson.ts'
import type { Row } from './row.ts'

const OPEN_LIST = 0x5b
const blanks: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d])
/** Beginning of a page of an API, such as `{"next": null, "results": [ … ]}`. */
const page = /^\s*\{\s*"(next|previous|count|results)"\s*:/
const PAGE_BYTES = 200

/** Reads lines of JSON, or a list: some products write the one, some the other, under the same name. */
export async function* readJson(content: AsyncIterable<Uint8Array>): AsyncGenerator<readonly Row[]> {
  const parts = content[Symbol.asyncIterator]()
  for (let first = await parts.next(); !first.done; first = await parts.next()) {
    const value: Uint8Array = first.value
    const begin = value.find((byte) => !blanks.has(byte))
    if (begin === undefined) continue
    const isList = begin === OPEN_LIST || page.test(Buffer.from(value.subarray(0, PAGE_BYTES)).toString())
    yield* (isList ? readJsonList : readNdjson)(chained(value, parts))
    return
  }
}

async function* chained(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield first
    for (let part = await rest.next(); !part.done; part = await rest.next()) yield part.value
  } finally {
    await rest.return?.()
  }
}
