import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { FirstSeen } from '../../ports/tables.ts'
import { findSeen, packSeen, seenIdsOf, WantedIds } from './seen-block.ts'

const eventId = fc.oneof(
  fc.uuid(),
  fc.uuid().map((id) => id.toUpperCase()),
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 9 }),
  fc.constantFrom('__proto__', '\ud800', 'é'.repeat(128), '0'.repeat(36)),
)
const verdict = fc.constantFrom(
  { fate: 'accepted', reason: 'new' } as const,
  { fate: 'late', reason: 'after_settled' } as const,
  { fate: 'bot', reason: 'user_agent' } as never,
)
const rows = fc
  .tuple(
    fc.uniqueArray(fc.record({ event_id: eventId, verdict, after: fc.nat(300) }), {
      selector: (row) => row.event_id,
      maxLength: 60,
    }),
    fc.nat(Number.MAX_SAFE_INTEGER - 100_000),
  )
  .map(([some, first]) => {
    let position = first
    return some.map(({ event_id, verdict, after }) => ({ event_id, position: (position += after), ...verdict }))
  })

it('returns every id with its position and fate, whatever characters the id has, and no other id', () => {
  fc.assert(
    fc.property(rows, eventId, (some, other) => {
      const block = packSeen(some)
      expect(seenIdsOf(block).sort()).toEqual(some.map(({ event_id }) => event_id).sort())
      const found = new Map<string, FirstSeen>()
      findSeen(block, new WantedIds([...some.map(({ event_id }) => event_id), other]), found)
      expect(found).toEqual(new Map(some.map(({ event_id, ...seen }) => [event_id, seen])))
    }),
  )
})

it('keeps the smaller of two positions', () => {
  const at = (position: number): Buffer => packSeen([{ event_id: 'e', position, fate: 'accepted', reason: 'new' }])
  const found = new Map<string, FirstSeen>()
  for (const position of [9, 4, 7]) findSeen(at(position), new WantedIds(['e']), found)
  expect(found.get('e')?.position).toBe(4)
})

it('takes some 19 bytes for a UUID, and its format never changes', () => {
  const many = Array.from({ length: 500 }, (_, index) => ({
    event_id: randomUUID(),
    position: 1e9 + index,
    fate: 'accepted' as const,
    reason: 'new' as const,
  }))
  expect(packSeen(many).length / many.length).toBeLessThan(20)
  const block = packSeen([
    { event_id: '00112233-4455-6677-8899-aabbccddeeff', position: 300, fate: 'accepted', reason: 'new' },
    { event_id: 'ä', position: 100, fate: 'late', reason: 'after_settled' },
    { event_id: 'a\u0100', position: 101, fate: 'accepted', reason: 'new' },
  ])
  expect(block.toString('hex')).toBe(
    '0103000100010000000000000059402d00' +
      '00112233445566778899aabbccddeeff' +
      '01e4' +
      '0461000001' +
      Buffer.from(
        JSON.stringify([
          ['accepted', 'new'],
          ['late', 'after_settled'],
        ]),
      ).toString('hex') +
      'c80100' +
      '0001' +
      '0100',
  )
})

it('refuses a damaged block', () => {
  const block = packSeen([
    { event_id: randomUUID(), position: 1, fate: 'accepted', reason: 'new' },
    { event_id: 'x', position: 2, fate: 'accepted', reason: 'new' },
  ])
  for (let bytes = 0; bytes < block.length; bytes++) expect(() => seenIdsOf(block.subarray(0, bytes))).toThrow()
  expect(() => seenIdsOf(Buffer.concat([block, Buffer.of(0)]))).toThrow(RangeError)
  expect(() => seenIdsOf(Buffer.concat([Buffer.of(2), block.subarray(1)]))).toThrow(RangeError)
})
