import type { FaultApp } from './apps.ts'

const PAUSE_MS = 300
const GIVE_UP_MS = 20_000

/** One answer of the API, or the lack of it. */
export interface Read {
  readonly path: string
  /** 0 when there was none */
  readonly status: number
  readonly ms: number
  /** when it was asked, ms after the first of its kind */
  readonly at: number
}

/** Dashboard reads of an app, all of them again and again until it is stopped. */
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

  /** Resolves with all answers when those under way are there too. */
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

/** Reports of tables, of visitors, of the archive, and the state of the installation. */
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

/** Asks once; an answer counts when its body is there. */
export async function read(apiUrl: string, path: string, key: string): Promise<Read> {
  const started = performance.now()
  const status = await fetch(`${apiUrl}${path}`, {
    headers: { authorization: `Bearer ${key}` },
    signal: AbortSignal.timeout(GIVE_UP_MS),
  }).then(
    async (answer) => (await answer.text(), answer.status),
    () => 0,
  )
  return { path, status, ms: Math.round(performance.now() - started), at: 0 }
}
