/** One event of a stream of Server-Sent Events. */
export interface StreamedEvent {
  readonly event: string
  readonly data: string
  /** id with which the stream resumes after this event; most events have none */
  readonly id?: string
}

/** Reads the events of a response body (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamedEvent> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      text += decoder.decode(value, { stream: !done })
      const blocks = text.split(/\r?\n\r?\n/)
      text = blocks.pop()!
      for (const block of blocks) yield eventOf(block)
      if (done) return
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

function eventOf(block: string): StreamedEvent {
  let event = 'message'
  let id: string | undefined
  const data: string[] = []
  for (const line of block.split(/\r?\n/)) {
    const [, name, value = ''] = /^([^:]+)(?:: ?(.*))?$/s.exec(line) ?? []
    if (name === 'event') event = value
    if (name === 'data') data.push(value)
    if (name === 'id') id = value
  }
  return { event, data: data.join('\n'), ...(id === undefined ? {} : { id }) }
}
