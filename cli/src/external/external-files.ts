import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { ExternalFile, externalId, type ExternalParts, type FoundFile } from './external-file.ts'
import { appDirectories, findFiles } from './find-files.ts'

const INTERVAL_MS = 5_000

export interface ExternalLogger {
  info(details: object, message: string): void
  warn(details: object, message: string): void
}

/**
 * Reads the files that other systems write to a directory, as they appear and grow. A sub-directory has the name of an
 * app. A faulty file never ends the process: the fault is logged once, and the file is tried again.
 */
export class ExternalFiles {
  readonly #dir: string
  readonly #parts: ExternalParts
  readonly #logger: ExternalLogger
  readonly #closing = new AbortController()
  /** the last logged problem by path, until the path works again */
  readonly #problems = new Map<string, string>()
  #running: Promise<void> = Promise.resolve()

  constructor(dir: string, parts: ExternalParts, logger: ExternalLogger) {
    this.#dir = dir
    this.#parts = parts
    this.#logger = logger
  }

  start(everyMs: number = INTERVAL_MS): void {
    this.#running = this.#run(everyMs)
  }

  /** Resolves when the part of a file that is being read is in the log. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#running
  }

  /** Checks every file once, at the time `now`. */
  async scan(now: number = Date.now()): Promise<void> {
    const ids = new Set<string>()
    const isComplete = await this.#attempt(this.#dir, async () => {
      let isComplete = true
      for (const name of await appDirectories(this.#dir)) {
        const found = await this.#attempt(join(this.#dir, name), () => this.#filesOf(name))
        isComplete &&= found?.isComplete === true
        for (const file of found?.files ?? []) {
          if (this.#closing.signal.aborted) return false
          ids.add(externalId(file))
          await this.#attempt(file.path, () => this.#read(file, now))
        }
      }
      return isComplete
    })
    if (isComplete) await this.#attempt('progress', () => this.#forgetOthers(ids))
  }

  async #run(everyMs: number): Promise<void> {
    const { signal } = this.#closing
    while (!signal.aborted) {
      await this.scan()
      await pause(everyMs, undefined, { signal }).catch(() => undefined)
    }
  }

  async #filesOf(name: string): ReturnType<typeof findFiles> {
    const app = await this.#parts.registry.app(name)
    if (!app) throw new Error(`there is no app ${name}: the name of a directory must be the id of an app`)
    const found = await findFiles(join(this.#dir, name), app)
    if (!found.isComplete) throw new Error('it has too many files: move those away that were read')
    return found
  }

  async #read(file: FoundFile, now: number): Promise<void> {
    const opened = await ExternalFile.open(this.#parts, file)
    await opened?.read(this.#closing.signal, now)
  }

  /** Forgets the progress of files that are gone. */
  async #forgetOthers(ids: ReadonlySet<string>): Promise<void> {
    const { externals } = this.#parts.registry
    for (const { id } of await externals.list('')) if (!ids.has(id)) await externals.remove('', id)
  }

  async #attempt<T>(path: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      const done = await work()
      if (this.#problems.delete(path)) this.#logger.info({ path }, 'this external file or directory is read again')
      return done
    } catch (error) {
      const { message } = error as Error
      if (this.#problems.get(path) !== message)
        this.#logger.warn({ path, err: error }, 'an external file or directory cannot be read; it is tried again')
      this.#problems.set(path, message)
      return undefined
    }
  }
}
