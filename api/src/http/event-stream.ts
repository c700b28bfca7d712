import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { EncodedAnswer } from './csv/encoded-answer.ts'

/** Maximum number of unread bytes; a client that falls further behind is disconnected. */
const UNREAD_BYTES_MAX = 4 * 1024 * 1024

/** A stream of Server-Sent Events that reports the progress of a query, and then its answer. */
export class EventStream extends Readable {
  override _read(): void {
    // nothing to do: events are pushed as they come
  }

  /** Sends one event with a JSON value, which contains no line break. Does nothing after the end. */
  send(event: string, value: unknown): void {
    if (this.destroyed || this.readableEnded) return
    if (this.readableLength > UNREAD_BYTES_MAX) return void this.destroy()
    this.push(`event: ${event}\ndata: `)
    this.push(value instanceof EncodedAnswer ? value.toBuffer() : JSON.stringify(value))
    this.push('\n\n')
  }

  end(): void {
    if (!this.destroyed) this.push(null)
  }
}

/** Returns whether an Accept header asks for events. */
export function acceptsEventStream(accept: string | undefined): boolean {
  return (accept ?? '').split(',').some((wish) => wish.split(';', 1)[0]!.trim().toLowerCase() === 'text/event-stream')
}

/** Sets the headers of a stream of Server-Sent Events; `x-accel-buffering` keeps nginx from buffering it. */
export function prepareEvents(reply: FastifyReply): void {
  void reply.headers({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  })
}
