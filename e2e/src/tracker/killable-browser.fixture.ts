import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type Browser, type BrowserContext } from 'playwright-core'
import { browserArgs } from '../traffic/launch-browser.ts'
import { until } from '../installations/until.ts'

const START_TIMEOUT_MS = 30_000

/**
 * A visitor's Chromium with a profile on disk, which can be closed or killed and started again. Playwright's own launch
 * offers neither the process nor a profile that outlives a kill.
 */
export class KillableBrowser {
  readonly #profile = mkdtempSync(join(tmpdir(), 'hopper-visitor-'))
  #process: ChildProcess | undefined
  #browser: Browser | undefined

  /** Starts it, and returns the context with the cookies and storage of the profile. */
  async start(): Promise<BrowserContext> {
    const args = [...browserArgs, '--headless=new', '--remote-debugging-port=0', `--user-data-dir=${this.#profile}`]
    const child = spawn('/usr/bin/chromium', [...args, 'about:blank'], { stdio: ['ignore', 'ignore', 'pipe'] })
    this.#process = child
    let output = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text))
    await until(() => output.includes('DevTools listening on '), START_TIMEOUT_MS)
    this.#browser = await chromium.connectOverCDP(/DevTools listening on (\S+)/.exec(output)![1]!)
    return this.#browser.contexts()[0]!
  }

  /** Quits as a person does: pages are left in order, and storage is written. */
  async quit(): Promise<void> {
    const child = this.#process
    if (!child || hasEnded(child)) return
    const ended = once(child, 'exit')
    const session = await this.#browser!.newBrowserCDPSession()
    await session.send('Browser.close').catch(() => undefined)
    await ended
  }

  /** Kills it, as an operating system does that is out of memory. */
  async kill(): Promise<void> {
    const child = this.#process
    if (!child || hasEnded(child)) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  /** Returns what the files of localStorage contain, as text of single bytes. */
  storedText(): string {
    const folder = join(this.#profile, 'Default/Local Storage/leveldb')
    if (!existsSync(folder)) return ''
    return readdirSync(folder)
      .map((file) => readFileSync(join(folder, file), 'latin1'))
      .join('\n')
  }

  async dispose(): Promise<void> {
    await this.kill()
    // processes of its pages may write for a moment longer
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}
