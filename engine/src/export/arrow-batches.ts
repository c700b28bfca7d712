import {
  AsyncByteQueue,
  Dictionary,
  Field,
  Int64,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  TimestampMillisecond,
  Uint32,
  Utf8,
  makeData,
  vectorFromArray,
  type Data,
  type DataType,
} from 'apache-arrow'
import { exportColumns, type ExportColumn } from './export-columns.ts'
import type { ExportedEvent } from './exported-event.ts'

const types = exportColumns.map((column, index): DataType => {
  if (column.kind === 'text') return new Dictionary(new Utf8(), new Uint32(), index)
  if (column.kind === 'id') return new Utf8()
  return column.kind === 'time' ? new TimestampMillisecond('UTC') : new Int64()
})
const schema = new Schema(exportColumns.map(({ name }, index) => new Field(name, types[index]!, true)))

/** Collects the output of an Arrow writer until it is taken. */
class Collected extends AsyncByteQueue {
  #parts: Uint8Array[] = []

  override write(bytes: Uint8Array): void {
    this.#parts.push(bytes)
  }

  /** Returns the bytes written since the last call. */
  take(): Uint8Array {
    const taken = Buffer.concat(this.#parts)
    this.#parts = []
    return taken
  }
}

/**
 * Writes an Arrow IPC stream batch by batch. Each batch has its own dictionaries, which replace the previous ones. This
 * bounds the memory of both reader and writer for any number of events.
 */
export class ArrowBatches {
  readonly #sink = new Collected()
  readonly #writer = new RecordBatchStreamWriter({ autoDestroy: false })

  /** Returns the beginning of a stream: the schema. */
  begin(): Uint8Array {
    this.#writer.reset(this.#sink, schema)
    return this.#sink.take()
  }

  batch(events: readonly ExportedEvent[]): Uint8Array {
    const children = exportColumns.map((column, index) => dataOf(column, types[index]!, events))
    this.#writer.write(
      new RecordBatch(
        schema,
        makeData({ type: new Struct(schema.fields), length: events.length, nullCount: 0, children }),
      ),
    )
    return this.#sink.take()
  }

  /** Returns the end-of-stream marker. */
  end(): Uint8Array {
    this.#writer.finish()
    return this.#sink.take()
  }
}

function dataOf(column: ExportColumn, type: DataType, events: readonly ExportedEvent[]): Data {
  const values = events.map((event) => column.value(event) ?? null)
  const nullBitmap = new Uint8Array((events.length + 7) >> 3)
  let nullCount = 0
  values.forEach((value, index) => {
    if (value === null) nullCount++
    else nullBitmap[index >> 3]! |= 1 << (index & 7)
  })
  const nulls = { length: events.length, nullCount, nullBitmap }
  if (column.kind === 'id') return vectorFromArray(values, new Utf8()).data[0]! as Data
  if (column.kind === 'text') return dictionaryOf(type as Dictionary, values as (string | null)[], nulls)
  return makeData({
    type: type as Int64,
    data: BigInt64Array.from(values, (value) => BigInt(value ?? 0)),
    ...nulls,
  })
}

interface Nulls {
  readonly length: number
  readonly nullCount: number
  readonly nullBitmap: Uint8Array
}

function dictionaryOf(type: Dictionary, values: readonly (string | null)[], nulls: Nulls): Data {
  const codes = new Map<string, number>()
  const data = Uint32Array.from(values, (value) => {
    if (value === null) return 0
    const code = codes.get(value) ?? codes.size
    codes.set(value, code)
    return code
  })
  // a reader may look up the code of a null, so the dictionary must not be empty
  const dictionary = vectorFromArray(codes.size > 0 ? [...codes.keys()] : [''], new Utf8())
  return makeData({ type: type as Dictionary<Utf8, Uint32>, data, dictionary, ...nulls })
}
