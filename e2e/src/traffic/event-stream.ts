/** An event as a stream has sent it. */
export interface SentEvent {
  readonly id: string
  readonly data: string
}

/** A client of Server-Sent Events, which keeps the id that a browser would send when it connects again. */
export class EventStream {
  readonly events: SentEvent[] = []
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  readonly #leaving: AbortController
  #text = ''
  #lastId = ''

  /** Resolves when the stream has stated where it begins. */
  static async open(url: string, key: string, lastId?: string): Promise<EventStream> {
    const leaving = new AbortController()
    const headers = { authorization: `Bearer ${key}`, ...(lastId === undefined ? {} : { 'last-event-id': lastId }) }
    const answer = await fetch(url, { headers, signal: leaving.signal })
    if (answer.status !== 200) throw new Error(`GET ${url}: ${answer.status} ${await answer.text()}`)
    const stream = new EventStream(answer.body!.getReader(), leaving)
    while (stream.lastId === '') await stream.#read()
    return stream
  }

  private constructor(reader: ReadableStreamDefaultReader<Uint8Array>, leaving: AbortController) {
    this.#reader = reader
    this.#leaving = leaving
  }

  get lastId(): string {
    return this.#lastId
  }

  /** Reads until there are that many events, or the connection is lost; rejects after a time without any data. */
  async read(count: number, silentMs = 60_000): Promise<'complete' | 'lost'> {
    while (this.events.length < count) {
      const timer = setTimeout(() => this.#leaving.abort(new Error(`silent at ${this.events.length}`)), silentMs)
      try {
        if (!(await this.#read())) return 'lost'
      } catch (error) {
        if (this.#leaving.signal.aborted) throw error
        return 'lost'
      } finally {
        clearTimeout(timer)
      }
    }
    return 'complete'
  }

  leave(): void {
    this.#leaving.abort()
  }

  async #read(): Promise<boolean> {
    const { done, value } = await this.#reader.read()
    if (done) return false
    const blocks = (this.#text + Buffer.from(value).toString()).split('\n\n')
    this.#text = blocks.pop()!
    for (const block of blocks) this.#take(block)
    return true
  }

  #take(block: string): void {
    const fields = block.split('\n').map((line) => /^(\w*): ?(.*)$/.exec(line) ?? ['', '', ''])
    const valuesOf = (name: string): string[] => fields.flatMap(([, field, value]) => (field === name ? [value!] : []))
    this.#lastId = valuesOf('id').at(-1) ?? this.#lastId
    const data = valuesOf('data')
    if (data.length > 0) this.events.push({ id: this.#lastId, data: data.join('\n') })
  }
}
