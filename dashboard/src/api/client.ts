/** An error response of the API. */
export class ApiError extends Error {
  readonly code: string
  readonly status: number

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

/** Calls the API as the member whose cookie the browser holds. */
export class Client {
  private readonly onLoggedOut: () => void
  private csrf = ''

  constructor(onLoggedOut: () => void) {
    this.onLoggedOut = onLoggedOut
  }

  /** Sets the CSRF value that every later changing call sends. */
  trust(csrf: string): void {
    this.csrf = csrf
  }

  /** Returns the text of a response, so that callers can detect changes. */
  async text(path: string, signal?: AbortSignal, accept = 'application/json'): Promise<string> {
    const response = await this.request(path, { headers: { accept }, ...(signal ? { signal } : {}) })
    return response.text()
  }

  async get<T>(path: string, signal?: AbortSignal): Promise<T> {
    return JSON.parse(await this.text(path, signal)) as T
  }

  async send<T>(method: 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<T> {
    const headers: Record<string, string> = { accept: 'application/json', 'x-hopper-csrf': this.csrf }
    if (body !== undefined) headers['content-type'] = 'application/json'
    const response = await this.request(path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return (text === '' ? undefined : JSON.parse(text)) as T
  }

  private async request(path: string, init: RequestInit): Promise<Response> {
    let response: Response
    try {
      response = await fetch(path, { credentials: 'same-origin', cache: 'no-store', ...init })
    } catch (cause) {
      if (init.signal?.aborted) throw cause
      throw new ApiError(0, 'OFFLINE', 'Hopper does not respond. Check that it is running and that you are online.')
    }
    if (response.ok) return response
    if (response.status === 401 && path !== '/api/v1/login') this.onLoggedOut()
    throw await readError(response)
  }
}

async function readError(response: Response): Promise<ApiError> {
  const body = (await response.json().catch(() => null)) as { error?: { code?: unknown; message?: unknown } } | null
  const { code, message } = body?.error ?? {}
  return new ApiError(
    response.status,
    typeof code === 'string' ? code : `HTTP ${response.status}`,
    typeof message === 'string' ? message : `Hopper responded with status ${response.status}.`,
  )
}
