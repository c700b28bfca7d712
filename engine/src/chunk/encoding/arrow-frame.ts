import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import {
  Dictionary,
  Field,
  FixedSizeBinary,
  Float64,
  Bool,
  RecordBatch,
  Schema,
  Struct,
  Table,
  Uint8,
  Uint16,
  Uint32,
  Utf8,
  makeData,
  tableFromIPC,
  tableToIPC,
  Vector,
  vectorFromArray,
  type Data,
  type DataType,
} from 'apache-arrow'
import type { Value } from '@hopper/contracts'
import { withZstd } from './zstd-lock.ts'
import { contentSize } from './zstd-size.ts'

/** The checksum detects cells that were corrupted on disk. */
const ZSTD = { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 }
/** Upper bound of an unpacked frame, so that a damaged cell cannot exhaust the memory. */
const FRAME_BYTES_MAX = 1 << 28
/** Piece size for unpacking a frame of unknown size; the minimum is the minimum of zlib. */
const PIECE_BYTES = 1 << 18
const PIECE_BYTES_MIN = 64

/** The columns of one frame by field name; all have the same length. */
export type Frame = ReadonlyMap<string, Data>

/** Packs columns into one zstd frame of an Arrow IPC stream with one record batch. */
export function packFrame(
  fields: ReadonlyMap<string, Data>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const schema = new Schema(
    [...fields].map(([name, data]) => new Field(name, data.type, true)),
    new Map(Object.entries(metadata)),
  )
  const children = [...fields.values()]
  const data = makeData({ type: new Struct(schema.fields), length: children[0]?.length ?? 0, nullCount: 0, children })
  const table = new Table(schema, [new RecordBatch(schema, data)])
  const bytes = tableToIPC(table, 'stream')
  return withZstd(() => zstdCompressSync(bytes, { params: ZSTD }))
}

/** Decodes a packed frame: its columns by name, and its metadata. */
export function unpackFrame(bytes: Uint8Array): {
  readonly frame: Frame
  readonly metadata: ReadonlyMap<string, string>
} {
  const table = tableFromIPC<Record<string, DataType>>(unpack(bytes))
  const frame = new Map<string, Data>()
  for (const field of table.schema.fields) frame.set(field.name, table.getChild(field.name)!.data[0]!)
  return { frame, metadata: table.schema.metadata }
}

/** Unpacks in one piece if the frame contains its size; one extra byte shows that nothing follows. */
function unpack(bytes: Uint8Array): Uint8Array {
  const size = contentSize(bytes)
  const chunkSize = size === undefined || size >= FRAME_BYTES_MAX ? PIECE_BYTES : Math.max(size + 1, PIECE_BYTES_MIN)
  return withZstd(() => zstdDecompressSync(bytes, { maxOutputLength: FRAME_BYTES_MAX, chunkSize }))
}

/** Creates a column of unsigned bytes without nulls. */
export function bytesData(values: Uint8Array): Data {
  return makeData({ type: new Uint8(), data: values, nullCount: 0 }) as Data
}

/** Creates a column of unsigned 32-bit integers without nulls. */
export function uint32Data(values: Uint32Array): Data {
  return makeData({ type: new Uint32(), data: values, nullCount: 0 }) as Data
}

/** Creates a column of concatenated ids of 16 bytes each. */
export function fixed16Data(values: Uint8Array): Data {
  return makeData({ type: new FixedSizeBinary(16), data: values, length: values.length / 16, nullCount: 0 }) as Data
}

/** Creates the same as `vectorFromArray` in a fraction of its time: senders may send very many short texts. */
export function textData(values: readonly (string | null)[]): Data {
  const offsets = new Int32Array(values.length + 1)
  const bytes = utf8Of(values, offsets)
  const nulls = values.reduce((count, value) => count + Number(value === null), 0)
  const valid = nulls > 0 ? { nullBitmap: validity(values) } : {}
  return makeData({
    type: new Utf8(),
    data: bytes,
    valueOffsets: offsets,
    length: values.length,
    nullCount: nulls,
    ...valid,
  }) as Data
}

/**
 * Unlike Arrow's decoder it preserves a leading byte order mark (U+FEFF), which may be the only difference between two
 * texts.
 */
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

/** Reads the text at an index of a column created by `textData`. */
export function textAt({ values, valueOffsets }: Data, index: number): string {
  const offsets = valueOffsets as Int32Array
  return utf8.decode((values as Uint8Array).subarray(offsets[index], offsets[index + 1]))
}

/** Finds a text in a column created by `textData`, -1 if it is not there. Decodes no text. */
export function indexOfText(data: Data, text: string): number {
  const bytes = Buffer.from(text)
  const offsets = data.valueOffsets as Int32Array
  const texts = data.values as Uint8Array
  for (let index = 0; index < data.length; index++) {
    if (offsets[index + 1]! - offsets[index]! !== bytes.length || !data.getValid(index)) continue
    if (bytes.equals(texts.subarray(offsets[index], offsets[index + 1]))) return index
  }
  return -1
}

/** Concatenates the texts as UTF-8 and writes the end of each to `offsets`. */
function utf8Of(values: readonly (string | null)[], offsets: Int32Array): Uint8Array {
  const joined = values.join('')
  const bytes = Buffer.from(joined)
  if (bytes.length === joined.length) {
    for (let i = 0; i < values.length; i++) offsets[i + 1] = offsets[i]! + (values[i]?.length ?? 0)
    return bytes
  }
  // Encoded separately: lone surrogates of adjacent texts must not form a pair.
  const parts = values.map((value) => Buffer.from(value ?? ''))
  parts.forEach((part, i) => (offsets[i + 1] = offsets[i]! + part.length))
  return Buffer.concat(parts)
}

function validity(values: readonly unknown[]): Uint8Array {
  const bits = new Uint8Array((values.length + 7) >> 3)
  for (let i = 0; i < values.length; i++) if (values[i] !== null) bits[i >> 3]! |= 1 << (i & 7)
  return bits
}

const valueTypes = { string: () => new Utf8(), number: () => new Float64(), boolean: () => new Bool() } as const
export type ValueType = keyof typeof valueTypes

/** Creates a dictionary column. A missing value is a `null` in the dictionary, so that rows need no validity bits. */
export function dictionaryData(type: ValueType, codes: Uint32Array, dictionary: readonly (Value | null)[]): Data {
  const values =
    type === 'string'
      ? new Vector([textData(dictionary as (string | null)[])])
      : (vectorFromArray(dictionary, valueTypes[type]() as Float64) as Vector<DataType>)
  if (dictionary.length <= 256) return dictionaryOf(type, new Uint8(), Uint8Array.from(codes), values)
  if (dictionary.length <= 65_536) return dictionaryOf(type, new Uint16(), Uint16Array.from(codes), values)
  return dictionaryOf(type, new Uint32(), codes, values)
}

function dictionaryOf(
  name: ValueType,
  index: Uint8 | Uint16 | Uint32,
  data: Uint8Array | Uint16Array | Uint32Array,
  dictionary: Vector<DataType>,
): Data {
  // dictionary ids must be unique within a frame
  const type = new Dictionary<DataType, Uint32>(dictionary.type, index as Uint32, Object.keys(valueTypes).indexOf(name))
  return makeData({ type, data: data as Uint32Array, dictionary, length: data.length, nullCount: 0 })
}
