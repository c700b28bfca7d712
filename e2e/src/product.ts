import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Provision } from '@hopper/contracts'
import { environment } from './config.ts'

const repository = resolve(import.meta.dirname, '../..')
const START_MS = 60_000

/** Hopper as its users run it: a process of its own in a directory of its own, reached by HTTP, ended by signals. */
export interface Product {
  readonly ingestUrl: string
  readonly apiUrl: string
  readonly dir: string
  /** what the process has printed so far */
  output(): string
  /** Resolves when the process answers `/ready`. */
  start(): Promise<void>
  /** Sends the signal and resolves when the process has ended; answers its exit code, null when a signal ended it. */
  stop(signal: 'SIGKILL' | 'SIGTERM' | 'SIGINT'): Promise<number | null>
  /** Ends the process and removes the directory. */
  dispose(): Promise<void>
}

export interface ProductOptions {
  provision?: Provision
  /** added to the environment of the process */
  env?: Readonly<Record<string, string>>
}

/** A standalone product on a free port of the loopback address; not started yet. */
export async function standalone(options: ProductOptions = {}): Promise<Product> {
  const main = join(repository, 'cli/dist/main.js')
  if (!existsSync(main)) throw new Error('cli is not built: run "npm run build" first')
  const dir = mkdtempSync(join(tmpdir(), 'hopper-e2e-'))
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const args = [main, 'start', '--port', String(port), '--data', join(dir, 'data')]
  if (options.provision) {
    writeFileSync(join(dir, 'hopper.json'), JSON.stringify(options.provision))
    args.push('--provision', join(dir, 'hopper.json'))
  }
  let child: ChildProcess | undefined
  let output = ''

  const stop = async (signal: 'SIGKILL' | 'SIGTERM' | 'SIGINT'): Promise<number | null> => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
    return child.exitCode
  }
  const start = async (): Promise<void> => {
    child = spawn(process.execPath, args, { env: { ...environment, ...options.env }, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (output += chunk.toString()))
    const running = child
    await until(async () => {
      if (running.exitCode !== null) throw new Error(`the product ended at its start:\n${output}`)
      return (await fetch(`${url}/ready`).catch(() => undefined))?.ok === true
    }, START_MS)
  }
  return {
    ingestUrl: url, apiUrl: url, dir, start, stop,
    output: () => output,
    dispose: async () => {
      await stop('SIGKILL')
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Resolves when the condition holds; rejects after `boundMs`, or with the error that the condition throws. */
export async function until(condition: () => Promise<boolean> | boolean, boundMs: number): Promise<void> {
  const end = performance.now() + boundMs
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`condition not met within ${boundMs} ms: ${condition.toString().slice(0, 200)}`)
    await new Promise((next) => setTimeout(next, 25))
  }
}

/** A GET of the dashboard API with a key; the parsed answer. Throws on any status but 200. */
export async function getJson<T>(product: Product, path: string, key: string): Promise<T> {
  const answer = await fetch(`${product.apiUrl}${path}`, { headers: { authorization: `Bearer ${key}` } })
  if (answer.status !== 200) throw new Error(`GET ${path}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as T
}

/** Waits until everything that was acknowledged is counted. */
export async function counted(product: Product, key: string, boundMs = 30_000): Promise<void> {
  await until(async () => {
    const status = await getJson<{ lanes: { lag: number }[] }>(product, '/api/v1/status', key)
    return status.lanes.every(({ lag }) => lag === 0)
  }, boundMs)
}
