import { describe, expect, it } from 'vitest'
import { readEvents, type StreamedEvent } from './event-lines.ts'

const text = 'event: progress\ndata: {"done":1}\n\n: a comment\n\nevent: answer\nid: 7\ndata: {"é":\ndata: 2}\n\n'

async function read(pieceBytes: number): Promise<StreamedEvent[]> {
  const bytes = new TextEncoder().encode(text)
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let start = 0; start < bytes.length; start += pieceBytes)
        controller.enqueue(bytes.subarray(start, start + pieceBytes))
      controller.close()
    },
  })
  const events: StreamedEvent[] = []
  for await (const event of readEvents(body)) if (event.data !== '') events.push(event)
  return events
}

describe('readEvents', () => {
  it('reads the same events, wherever the network cuts the stream', async () => {
    for (const pieceBytes of [1, 2, 7, 1_000])
      expect(await read(pieceBytes)).toEqual([
        { event: 'progress', data: '{"done":1}' },
        { event: 'answer', id: '7', data: '{"é":\n2}' },
      ])
  })
})
