import { readEvents, type StreamedEvent } from './event-lines.ts'

/** An error response of the API. */
export class ApiError extends Error {
  readonly code: string
  readonly status: number

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }

  /** true if Hopper did not answer, so that the same call can succeed later */
  get isOutage(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 504
  }
}

/** Rows that a query has read, of all that it has to read. */
export interface Progress {
  readonly done: number
  readonly total: number
}

export interface ClientListener {
  onLoggedOut(): void
  /** called after each call: whether Hopper answered */
  onAnswer(answered: boolean): void
}

/** Calls the API as the member whose cookie the browser holds, or as the reader of a shared link. */
export class Client {
  private readonly listener: ClientListener
  private csrf = ''
  private shared: string | undefined

  constructor(listener: ClientListener) {
    this.listener = listener
  }

  /** Sets the CSRF value that every later changing call sends. */
  trust(csrf: string): void {
    this.csrf = csrf
  }

  /** Makes every later call as the reader of a shared link: its id, or the session that a frame was given. */
  share(session: string): void {
    this.shared = session
  }

  /** Returns the text of a response. */
  async text(path: string, signal?: AbortSignal, accept = 'application/json'): Promise<string> {
    const response = await this.request(path, { headers: { accept }, ...(signal ? { signal } : {}) })
    return response.text()
  }

  async get<T>(path: string, signal?: AbortSignal): Promise<T> {
    return JSON.parse(await this.text(path, signal)) as T
  }

  /**
   * Asks a question, with a body or in its path, and reports the progress of a long one if that is wanted: only without
   * progress the answer is compressed. Aborting the signal ends it on the server.
   */
  async query<T>(
    path: string,
    body: unknown,
    signal?: AbortSignal,
    onProgress?: (progress: Progress) => void,
  ): Promise<T> {
    const response = await this.request(path, {
      ...this.bodyOf(
        body === undefined ? 'GET' : 'POST',
        body,
        `${onProgress ? 'text/event-stream, ' : ''}application/json`,
      ),
      ...(signal ? { signal } : {}),
    })
    if (!(response.headers.get('content-type') ?? '').startsWith('text/event-stream'))
      return (await response.json()) as T
    for await (const { event, data } of readEvents(response.body!)) {
      if (event === 'progress') onProgress?.(JSON.parse(data) as Progress)
      if (event === 'answer') return JSON.parse(data) as T
      if (event === 'error') throw errorOf(500, JSON.parse(data))
    }
    throw new ApiError(0, 'OFFLINE', 'The answer ended before it was complete.')
  }

  /** Opens a stream of events, after the event with the id `after` if one is given. */
  async events(path: string, after: string | undefined, signal: AbortSignal): Promise<AsyncIterable<StreamedEvent>> {
    const headers = { accept: 'text/event-stream', ...(after === undefined ? {} : { 'last-event-id': after }) }
    return readEvents((await this.request(path, { headers, signal })).body!)
  }

  /** Returns the answer to a question with a body in another form, such as CSV. */
  async queryText(path: string, body: unknown, accept: string): Promise<string> {
    return (await this.request(path, this.bodyOf('POST', body, accept))).text()
  }

  async send<T>(method: 'POST' | 'PATCH' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<T> {
    const text = await (await this.request(path, this.bodyOf(method, body, 'application/json'))).text()
    return (text === '' ? undefined : JSON.parse(text)) as T
  }

  private bodyOf(method: string, body: unknown, accept: string): RequestInit {
    const headers: Record<string, string> = { accept, 'x-hopper-csrf': this.csrf }
    if (body !== undefined) headers['content-type'] = 'application/json'
    return { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }
  }

  private sharedHeader(): Record<string, string> {
    return this.shared === undefined ? {} : { 'x-hopper-share': this.shared }
  }

  private async request(path: string, init: RequestInit): Promise<Response> {
    let response: Response
    try {
      const headers = { ...(init.headers as Record<string, string>), ...this.sharedHeader() }
      response = await fetch(path, { credentials: 'same-origin', cache: 'no-cache', ...init, headers })
    } catch (cause) {
      if (init.signal?.aborted) throw cause
      this.listener.onAnswer(false)
      throw new ApiError(0, 'OFFLINE', 'Hopper does not respond. Check that it is running and that you are online.')
    }
    const error = response.ok ? undefined : await readError(response)
    this.listener.onAnswer(!error?.isOutage)
    if (!error) return response
    if (error.code === 'HOP_LOGIN_REQUIRED' || error.code === 'HOP_SHARED_LINK') this.listener.onLoggedOut()
    throw error
  }
}

async function readError(response: Response): Promise<ApiError> {
  return errorOf(response.status, await response.json().catch(() => null))
}

function errorOf(status: number, body: unknown): ApiError {
  const { code, message } = (body as { error?: { code?: unknown; message?: unknown } } | null)?.error ?? {}
  return new ApiError(
    status,
    typeof code === 'string' ? code : `HTTP ${status}`,
    typeof message === 'string' ? message : `Hopper responded with status ${status}.`,
  )
}
