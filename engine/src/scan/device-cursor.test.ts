import { expect, it } from 'vitest'
import type { ArchivedEvent } from '@hopper/contracts'
import { Chunk } from '../chunk/chunk.ts'
import { encodeColumns } from '../chunk/encoding/encode-chunk.ts'
import { RowBuffer } from '../chunk/row-buffer.ts'
import { DeviceCursor, spansOf } from './device-cursor.ts'

const row = (device_id: string, position: number): ArchivedEvent => ({
  event: { event_id: `e${position}`, timestamp: 1_767_560_400_000 + position, seq: 0, type: 'custom', name: 'a' },
  device_id,
  user: '',
  context: { device: 'server', browser: '', os: '' },
  received_at: 0,
  position,
  index: 0,
})

/** Creates a span of devices with these low halves and equal high halves of their hashes. */
function span(first: number, lows: readonly number[]): Chunk[] {
  const columns = [
    ...RowBuffer.of(
      'a',
      lows.map((_, i) => row(`d${i}`, first + i)),
    ).groups(),
  ][0]!.columns
  const runs = { ...columns.runs, high: new Uint32Array(lows.length).fill(7), low: Uint32Array.from(lows) }
  const cover = { app: 'a', date: '2026-01-04', lane: 0, first_position: first, last_position: first + 9 }
  return encodeColumns({ ...columns, runs }, cover).map((chunk) => Chunk.of(chunk))
}

it('distinguishes and sorts devices that differ only in the last bits of their hash, over all spans', () => {
  const cursor = new DeviceCursor(
    spansOf([...span(0, [4, 6, 4_096]), ...span(10, [5, 6]), ...span(20, [6, 4_097])]),
    () => 0,
  )
  const devices: number[][] = []
  while (cursor.next()) devices.push([cursor.rest, cursor.segments])
  expect(devices).toEqual([
    [4, 1],
    [5, 1],
    [6, 3],
    [0, 1],
    [1, 1],
  ])
})
