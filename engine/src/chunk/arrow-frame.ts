import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import {
  Dictionary, Field, FixedSizeBinary, Float64, Bool, RecordBatch, Schema, Struct, Table, Uint8, Uint16, Uint32, Utf8, makeData, tableFromIPC, tableToIPC,
  vectorFromArray, type Data, type DataType, type Vector,
} from 'apache-arrow'
import type { Value } from '@hopper/contracts'
import { withZstd } from './zstd-lock.ts'
import { contentSize } from './zstd-size.ts'

/** The checksum tells a cell that the disk has changed from one that is as it was written. */
const ZSTD = { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 }
/** no frame of ours unpacks to more: a damaged cell must not take the memory */
const FRAME_BYTES_MAX = 1 << 28
/** a frame of unknown size is unpacked in pieces; the least is the least that zlib takes */
const PIECE_BYTES = 1 << 18
const PIECE_BYTES_MIN = 64

/** The columns of one frame by field name; all have the same length. */
export type Frame = ReadonlyMap<string, Data>

/** One zstd frame of an Arrow IPC stream with one record batch. */
export function packFrame(fields: ReadonlyMap<string, Data>, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  const schema = new Schema(
    [...fields].map(([name, data]) => new Field(name, data.type as DataType, true)),
    new Map(Object.entries(metadata)),
  )
  const children = [...fields.values()]
  const data = makeData({ type: new Struct(schema.fields), length: children[0]?.length ?? 0, nullCount: 0, children })
  const table = new Table(schema, [new RecordBatch(schema, data)])
  const bytes = tableToIPC(table, 'stream')
  return withZstd(() => zstdCompressSync(bytes, { params: ZSTD }))
}

export function unpackFrame(bytes: Uint8Array): { readonly frame: Frame; readonly metadata: ReadonlyMap<string, string> } {
  const table = tableFromIPC(unpack(bytes))
  const frame = new Map<string, Data>()
  for (const field of table.schema.fields) frame.set(field.name, table.getChild(field.name)!.data[0]!)
  return { frame, metadata: table.schema.metadata }
}

/** In one piece when the frame tells its size; one byte more shows that nothing follows. */
function unpack(bytes: Uint8Array): Uint8Array {
  const size = contentSize(bytes)
  const chunkSize = size === undefined || size >= FRAME_BYTES_MAX ? PIECE_BYTES : Math.max(size + 1, PIECE_BYTES_MIN)
  return withZstd(() => zstdDecompressSync(bytes, { maxOutputLength: FRAME_BYTES_MAX, chunkSize }))
}

export function bytesData(values: Uint8Array): Data {
  return makeData({ type: new Uint8(), data: values, nullCount: 0 }) as Data
}

export function uint32Data(values: Uint32Array): Data {
  return makeData({ type: new Uint32(), data: values, nullCount: 0 }) as Data
}

/** Ids of 16 bytes each, one after the other. */
export function fixed16Data(values: Uint8Array): Data {
  return makeData({ type: new FixedSizeBinary(16), data: values, length: values.length / 16, nullCount: 0 }) as Data
}

export function textData(values: readonly string[]): Data {
  return vectorFromArray(values, new Utf8()).data[0]! as Data
}

const valueTypes = { string: () => new Utf8(), number: () => new Float64(), boolean: () => new Bool() } as const
export type ValueType = keyof typeof valueTypes

/** Codes into a dictionary; a missing value is a `null` in the dictionary, so that no row needs a validity bit. */
export function dictionaryData(type: ValueType, codes: Uint32Array, dictionary: readonly (Value | null)[]): Data {
  const values: Vector = vectorFromArray(dictionary, valueTypes[type]() as Utf8)
  if (dictionary.length <= 256) return dictionaryOf(type, new Uint8(), Uint8Array.from(codes), values)
  if (dictionary.length <= 65_536) return dictionaryOf(type, new Uint16(), Uint16Array.from(codes), values)
  return dictionaryOf(type, new Uint32(), codes, values)
}

function dictionaryOf(name: ValueType, index: Uint8 | Uint16 | Uint32, data: Uint8Array | Uint16Array | Uint32Array, dictionary: Vector): Data {
  // one id for each dictionary of a frame
  const type = new Dictionary<DataType, Uint32>(dictionary.type as DataType, index as Uint32, Object.keys(valueTypes).indexOf(name))
  return makeData({ type, data: data as Uint32Array, dictionary, length: data.length, nullCount: 0 }) as unknown as Data
}
