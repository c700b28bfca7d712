import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { environment } from './config.ts'
import { until } from './until.ts'

const START_TIMEOUT_MS = 60_000
const main = join(resolve(import.meta.dirname, '../../..'), 'cli/dist/main.js')

/** The end of a process: its exit code, or the signal that ended it. */
export type Ended = number | NodeJS.Signals
export type StopSignal = 'SIGKILL' | 'SIGTERM' | 'SIGINT'
export type Signal = StopSignal | 'SIGSTOP' | 'SIGCONT' | 'SIGUSR2'

/** One process of an installation as its users run it: `hopper …`, reached by HTTP, stopped by signals. */
export class Service {
  readonly name: string
  readonly url: string
  readonly #args: readonly string[]
  readonly #env: Readonly<Record<string, string | undefined>>
  #child: ChildProcess | undefined
  #output = ''

  /** Prepares a process on a free port of the loopback address, without starting it. */
  static async of(
    name: string,
    args: readonly string[],
    env: Readonly<Record<string, string | undefined>> = {},
  ): Promise<Service> {
    return new Service(name, await freePort(), args, env)
  }

  private constructor(
    name: string,
    port: number,
    args: readonly string[],
    env: Readonly<Record<string, string | undefined>>,
  ) {
    this.name = name
    this.url = `http://127.0.0.1:${port}`
    this.#args = [name, '--port', String(port), ...args]
    this.#env = env
  }

  /** the output of the process so far */
  get output(): string {
    return this.#output
  }

  /** its process id, once it has been started */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Resolves when the process answers `/ready`. */
  async start(): Promise<void> {
    const child = runHopper(this.#args, this.#env, (text) => (this.#output += text))
    this.#child = child
    await until(async () => {
      if (child.exitCode !== null) throw new Error(`hopper ${this.name} ended at its start:\n${this.#output}`)
      return (await fetch(`${this.url}/ready`).catch(() => undefined))?.ok === true
    }, START_TIMEOUT_MS)
  }

  /** Sends a signal without waiting for its effect. */
  signal(signal: Signal): void {
    this.#child?.kill(signal)
  }

  /**
   * Sends the signal and waits for the end of the process; returns its exit code or the signal that ended it, undefined
   * when it was never started.
   */
  async stop(signal: StopSignal): Promise<Ended | undefined> {
    const child = this.#child
    if (!child) return undefined
    if (this.running) {
      const ended = once(child, 'exit')
      child.kill(signal)
      await ended
    }
    return child.exitCode ?? child.signalCode ?? undefined
  }
}

/** Runs a subcommand to its end; returns its output. Throws unless it exits with 0. */
export async function hopper(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<string> {
  let output = ''
  const child = runHopper(args, env, (text) => (output += text))
  if (child.exitCode === null) await once(child, 'exit')
  if (child.exitCode !== 0) throw new Error(`hopper ${args[0]} ended with ${child.exitCode}:\n${output}`)
  return output
}

/** Runs a subcommand and kills it as soon as its output so far meets the condition, or it ends. */
export async function hopperKilled(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  meets: (output: string) => boolean,
): Promise<Ended> {
  let output = ''
  const child = runHopper(args, env, (text) => {
    output += text
    if (meets(output)) child.kill('SIGKILL')
  })
  if (child.exitCode === null) await once(child, 'exit')
  return child.exitCode ?? child.signalCode!
}

function runHopper(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  print: (text: string) => void,
): ChildProcess {
  if (!existsSync(main)) throw new Error('cli is not built: run "npm run build" first')
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...environment, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => print(chunk.toString()))
  return child
}

async function freePort(): Promise<number> {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
