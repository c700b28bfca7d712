import { PassThrough, Readable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { HopperError } from '../errors.ts'
import { BodyMemory, collectBody, type ArrivingBody } from './request-body.ts'

const bytesMax = 1_000_000
const refusedFor = (code: HopperError['code']): Partial<HopperError> => ({ code })

function collected(payload: Readable, more: Partial<ArrivingBody> = {}): Promise<Buffer> {
  const memory = new BodyMemory(Infinity)
  const body = { payload, contentLength: undefined, bytesMax, memory, address: '203.0.113.9', ...more }
  return new Promise((resolve, reject) => collectBody(body, resolve, reject))
}

describe('a body', () => {
  it('is what was sent, in any pieces, and leaves no memory held', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ minLength: 1 })), async (pieces) => {
        const sent = pieces.map((piece) => Buffer.from(piece))
        const memory = new BodyMemory(bytesMax)
        expect(await collected(Readable.from(sent, { objectMode: false }), { memory })).toEqual(Buffer.concat(sent))
        expect(memory.bytes).toBe(0)
      }),
    )
  })

  it('in one piece is not copied', async () => {
    const piece = Buffer.from('{}')
    const payload = new PassThrough()
    payload.end(piece)
    expect((await collected(payload)).buffer).toBe(piece.buffer)
  })

  it('may have as many bytes as the limit, and not one more, with and without a declared length', async () => {
    const half = Buffer.alloc(bytesMax / 2)
    expect(await collected(Readable.from([half, half], { objectMode: false }))).toHaveLength(bytesMax)
    const tooLarge = refusedFor('HOP_BODY_TOO_LARGE')
    const longer = Readable.from([half, half, Buffer.alloc(1)], { objectMode: false })
    await expect(collected(longer)).rejects.toMatchObject(tooLarge)
    const declared = { contentLength: String(bytesMax + 1) }
    await expect(collected(Readable.from([half]), declared)).rejects.toMatchObject(tooLarge)
  })

  it('is refused when its sender aborts', async () => {
    const memory = new BodyMemory(bytesMax)
    const aborted = new PassThrough()
    aborted.write('{')
    const collecting = collected(aborted, { memory })
    aborted.destroy(new Error('gone'))
    await expect(collecting).rejects.toMatchObject(refusedFor('HOP_BODY_INVALID'))
    expect(memory.bytes).toBe(0)
  })
})

describe('bodies that have arrived in part', () => {
  /** A body of which 50 kB have arrived, in two pieces. */
  const half = (memory: BodyMemory, address: string): { payload: PassThrough; outcome: Promise<unknown> } => {
    const payload = new PassThrough()
    const outcome = collected(payload, { memory, address }).then(
      (body) => body.length,
      ({ code }: HopperError) => code,
    )
    payload.write(Buffer.alloc(1))
    payload.write(Buffer.alloc(49_999))
    return { payload, outcome }
  }

  it('hold at most a quarter of the memory for one address, and leave room for others', async () => {
    const memory = new BodyMemory(1_000_000)
    const bodies = [half(memory, '203.0.113.9'), half(memory, '203.0.113.9'), half(memory, '203.0.113.9')]
    expect(await bodies[2]!.outcome).toBe('HOP_RATE')
    const other = half(memory, '203.0.113.10')
    for (const { payload } of [bodies[0]!, bodies[1]!, other]) payload.end(Buffer.alloc(1))
    expect(await Promise.all([bodies[0], bodies[1], other].map((each) => each!.outcome))).toEqual([
      50_001, 50_001, 50_001,
    ])
    expect(memory.bytes).toBe(0)
  })

  it('of all addresses hold no more than the memory', async () => {
    const memory = new BodyMemory(1_000_000)
    const all = Array.from({ length: 20 }, (_, index) => half(memory, `203.0.113.${index}`))
    expect(memory.bytes).toBeLessThanOrEqual(1_000_000)
    for (const { payload } of all) payload.end()
    const outcomes = await Promise.all(all.map(({ outcome }) => outcome))
    expect(outcomes.filter((outcome) => outcome === 50_000)).toHaveLength(10)
    expect(outcomes.filter((outcome) => outcome === 'HOP_RATE')).toHaveLength(10)
    expect(memory.bytes).toBe(0)
  })
})
