import { readUuid, UUID_BYTES, writeUuid } from '@hopper/contracts'
import { fixed16Data, textAt, textData, type Frame } from './encoding/arrow-frame.ts'
import type { Data } from 'apache-arrow'

/** A list of ids: a lower-case UUID takes 16 bytes, any other id is stored in `texts` by its index. */
export interface Ids {
  readonly length: number
  readonly bytes: Uint8Array
  readonly texts: ReadonlyMap<number, string>
}

/** Packs ids: lower-case UUIDs into bytes, all others as texts. */
export function idsOf(list: readonly string[]): Ids {
  const bytes = new Uint8Array(list.length * UUID_BYTES)
  const texts = new Map<number, string>()
  for (let i = 0; i < list.length; i++) {
    if (writeUuid(list[i]!, bytes, i * UUID_BYTES)) continue
    bytes.fill(0, i * UUID_BYTES, (i + 1) * UUID_BYTES)
    texts.set(i, list[i]!)
  }
  return { length: list.length, bytes, texts }
}

/** Returns the id at index `i`. */
export function idAt(ids: Ids, i: number): string {
  const text = ids.texts.get(i)
  if (text !== undefined) return text
  return readUuid(Buffer.from(ids.bytes.buffer, ids.bytes.byteOffset + i * UUID_BYTES, UUID_BYTES), 0)
}

/** Picks ids: id i is the one at `places[i]` of the list `lists[sources[i]]`. */
export function pickIds(lists: readonly Ids[], sources: Uint32Array, places: Uint32Array): Ids {
  const bytes = new Uint8Array(places.length * 16)
  const texts = new Map<number, string>()
  for (let i = 0; i < places.length; i++) {
    const list = lists[sources[i]!]!
    const place = places[i]!
    const text = list.texts.size > 0 ? list.texts.get(place) : undefined
    if (text === undefined) bytes.set(list.bytes.subarray(place * 16, place * 16 + 16), i * 16)
    else texts.set(i, text)
  }
  return { length: places.length, bytes, texts }
}

/** Returns the field `uuid` if any id is a UUID and `text` if any is not; an id is zeros or '' in the other field. */
export function idFields(ids: Ids): Map<string, Data> {
  const fields = new Map<string, Data>()
  if (ids.texts.size < ids.length) fields.set('uuid', fixed16Data(ids.bytes))
  if (ids.texts.size > 0)
    fields.set('text', textData(Array.from({ length: ids.length }, (_, i) => ids.texts.get(i) ?? '')))
  return fields
}

/** Reads the ids of a frame. It lacks the column `uuid` if no id is a UUID, and `text` if all are. */
export function idsOfFrame(frame: Frame, length: number): Ids {
  const uuid = frame.get('uuid')
  const text = frame.get('text')
  const texts = new Map<number, string>()
  if (text) {
    const offsets = text.valueOffsets as Int32Array
    for (let i = 0; i < length; i++) {
      if (offsets[i + 1]! > offsets[i]! || !uuid) texts.set(i, textAt(text, i))
    }
  }
  return { length, bytes: uuid ? (uuid.values as Uint8Array) : new Uint8Array(0), texts }
}
