import type { FaultApp } from './apps.fixture.ts'

const PAUSE_MS = 300
const READ_TIMEOUT_MS = 20_000

/** One answer of the API, or a missing one. */
export interface Read {
  readonly path: string
  /** 0 without an answer */
  readonly status: number
  readonly ms: number
  /** time of the request, in ms after the first of its kind */
  readonly at: number
}

/** Repeats all dashboard reads of an app until it is stopped. */
export class Reads {
  readonly done: Read[] = []
  readonly #startedAt = performance.now()
  readonly #apiUrl: string
  readonly #app: FaultApp
  readonly #stopped: Promise<unknown>
  #stopping = false

  constructor(apiUrl: string, app: FaultApp) {
    this.#apiUrl = apiUrl
    this.#app = app
    this.#stopped = Promise.all(pathsOf(app).map((path) => this.#repeat(path)))
  }

  /** Resolves with all answers, including those to reads in flight. */
  async stop(): Promise<readonly Read[]> {
    this.#stopping = true
    await this.#stopped
    return this.done
  }

  async #repeat(path: string): Promise<void> {
    while (!this.#stopping) {
      const at = Math.round(performance.now() - this.#startedAt)
      this.done.push({ ...(await read(this.#apiUrl, path, this.#app.read)), at })
      await new Promise((next) => setTimeout(next, PAUSE_MS))
    }
  }
}

/** Reports from counters, from visitor tables and from the archive, and the state of the installation. */
export function pathsOf({ id }: FaultApp): string[] {
  const reports = [
    'traffic?by=hour',
    'traffic?by=day',
    'agents?by=device',
    'pages/views',
    'clicks',
    'events?limit=5',
    'journeys',
  ]
  return ['/api/v1/status', '/api/v1/apps', ...reports.map((report) => `/api/v1/apps/${id}/${report}`)]
}

/** Sends one request. An answer counts when its body has arrived. */
export async function read(apiUrl: string, path: string, key: string): Promise<Read> {
  const started = performance.now()
  const status = await fetch(`${apiUrl}${path}`, {
    headers: { authorization: `Bearer ${key}` },
    signal: AbortSignal.timeout(READ_TIMEOUT_MS),
  }).then(
    async (answer) => (await answer.text(), answer.status),
    () => 0,
  )
  return { path, status, ms: Math.round(performance.now() - started), at: 0 }
}
