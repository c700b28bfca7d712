import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { EncodedAnswer } from './csv/encoded-answer.ts'

/** Events that nobody has read yet; a reader that is further behind is cut off. */
const UNREAD_BYTES_MAX = 4 * 1024 * 1024

/** A stream of Server-Sent Events. */
export class EventStream extends Readable {
  override _read(): void {
    // what is written is handed out as it comes
  }

  /** One event with a JSON value, which holds no line break. Nothing happens after the end. */
  tell(event: string, value: unknown): void {
    if (this.destroyed || this.readableEnded) return
    if (this.readableLength > UNREAD_BYTES_MAX) return void this.destroy()
    this.push(`event: ${event}\ndata: `)
    this.push(value instanceof EncodedAnswer ? value.toBuffer() : JSON.stringify(value))
    this.push('\n\n')
  }

  /** A line that no reader looks at, which keeps the connection open; not needed when there is something to read. */
  keepAlive(): void {
    if (!this.destroyed && !this.readableEnded && this.readableLength < UNREAD_BYTES_MAX) this.push(':\n\n')
  }

  end(): void {
    if (!this.destroyed) this.push(null)
  }
}

/** Whether an Accept header asks for events. */
export function asksForEvents(accept: string | undefined): boolean {
  return (accept ?? '').split(',').some((wish) => wish.split(';', 1)[0]!.trim().toLowerCase() === 'text/event-stream')
}

export function prepareEvents(reply: FastifyReply): void {
  void reply.headers({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  })
}
