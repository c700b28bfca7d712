import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { writeNameHash } from '../client/name-hash.ts'
import { digestRows, packDigest, unpackDigest } from './visitor-digest.ts'

const row = fc.record({
  kind: fc.constantFrom('', 'a', '\u{1f600}'),
  hour: fc.nat(2),
  user: fc.constantFrom('', 'ann'),
  device: fc.string({ maxLength: 3 }),
})

describe('the digest of visitor rows', () => {
  it('returns every row after packing: its key, device and user', () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 40 }), (rows) => {
        rows.sort((a, b) => (a.kind < b.kind ? -1 : a.kind > b.kind ? 1 : a.hour - b.hour))
        const found = rows.map(({ kind, hour, ...visitor }) => ({ key: [kind, hour], visitor }))
        const { keys, ends, devices, users } = unpackDigest(packDigest(digestRows(found)))
        expect(new Set(keys.map((key) => JSON.stringify(key))).size).toBe(keys.length)
        const unpackedRows = rows.map((_, index) => [
          keys[ends.findIndex((end) => index < end)],
          [...devices.subarray(2 * index, 2 * index + 2)],
          [...users.subarray(2 * index, 2 * index + 2)],
        ])
        const hashed = (name: string): number[] => {
          const halves = new Uint32Array(2)
          writeNameHash(name, halves, 0)
          return [...halves]
        }
        expect(unpackedRows).toEqual(
          rows.map(({ kind, hour, user, device }) => [
            [kind, hour],
            hashed(`d:${device}`),
            user === '' ? [0, 0] : hashed(`u:${user}`),
          ]),
        )
        expect([devices.length, users.length]).toEqual([2 * rows.length, 2 * rows.length])
      }),
    )
  })
})
