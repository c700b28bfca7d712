/** A client that reads Server-Sent Events. */
export interface Stream {
  readonly status: number
  readonly headers: Headers
  /** the body of a refusal */
  readonly refusal: unknown
  /** Reads events until there are that many. */
  events(count: number): Promise<readonly ReceivedEvent[]>
  /** the id that a browser would send when it reconnects */
  lastId(): string
  leave(): void
}

export interface ReceivedEvent {
  readonly name: string
  readonly data: string
}

/** Opens a stream and reads its first comment, with the place where it begins. */
export async function openStream(url: string, headers: Record<string, string>): Promise<Stream> {
  const leaving = new AbortController()
  const answer = await fetch(url, { headers, signal: leaving.signal })
  const refusal: unknown = answer.ok ? undefined : await answer.json()
  const reader = (answer.ok ? answer.body! : new ReadableStream<Uint8Array>()).getReader()
  const received: ReceivedEvent[] = []
  let [text, id, blocks] = ['', '', 0]
  const take = (block: string): void => {
    const fields = block.split('\n').map((line) => /^(\w*): ?(.*)$/.exec(line) ?? ['', '', ''])
    const valuesOf = (name: string): string[] => fields.flatMap(([, field, value]) => (field === name ? [value!] : []))
    id = valuesOf('id').at(-1) ?? id
    if (valuesOf('data').length > 0)
      received.push({ name: valuesOf('event')[0] ?? 'message', data: valuesOf('data').join('\n') })
  }
  const read = async (): Promise<void> => {
    const { done, value } = (await reader.read()) as { done: boolean; value?: Uint8Array }
    if (done) throw new Error(`the stream ended after ${JSON.stringify(received)}`)
    const read = (text + Buffer.from(value!).toString()).split('\n\n')
    text = read.pop()!
    blocks += read.length
    read.forEach(take)
  }
  if (answer.ok) while (blocks === 0) await read()
  return {
    status: answer.status,
    headers: answer.headers,
    refusal,
    events: async (count) => {
      while (received.length < count) await read()
      return received
    },
    lastId: () => id,
    leave: () => leaving.abort(),
  }
}
