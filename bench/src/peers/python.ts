import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** bench/peers, from the sources as well as from the built files */
const scripts = fileURLToPath(new URL('../../peers/', import.meta.url))

/** Returns the Python of a venv with the peers' packages; creates it on first use. */
export function pythonOfPeers(): string {
  const venv = join(tmpdir(), 'hopper-bench', 'venv')
  const python = join(venv, 'bin', 'python')
  if (!existsSync(python)) execFileSync('python3', ['-m', 'venv', venv], { stdio: 'inherit' })
  execFileSync(
    python,
    ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', join(scripts, 'requirements.txt')],
    { stdio: 'inherit' },
  )
  return python
}

export function runScript(python: string, script: string, args: readonly string[]): void {
  execFileSync(python, [join(scripts, script), ...args], { stdio: 'inherit' })
}

export interface PeerAnswer {
  readonly wall_ms: number
  readonly cpu_ms: number
  readonly peak_mb: number
  readonly answer: unknown
}

/** A peer in a separate process that answers one query after the other. */
export class Peer {
  readonly name: string
  readonly loadSeconds: number
  /** its peak memory */
  peakMb = 0
  readonly queries: readonly string[]
  readonly #process: ChildProcess
  readonly #lines: AsyncIterator<string>

  private constructor(
    name: string,
    child: ChildProcess,
    lines: AsyncIterator<string>,
    about: { load_s: number; queries: string[] },
  ) {
    this.name = name
    this.#process = child
    this.#lines = lines
    this.loadSeconds = about.load_s
    this.queries = about.queries
  }

  static async start(name: string, python: string, script: string, args: readonly string[]): Promise<Peer> {
    const child = spawn(python, [join(scripts, script), ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    return new Peer(name, child, lines, JSON.parse(await lineOf(lines, name)) as { load_s: number; queries: string[] })
  }

  async send(query: string): Promise<PeerAnswer> {
    this.#process.stdin!.write(`${query}\n`)
    const answer = JSON.parse(await lineOf(this.#lines, this.name)) as PeerAnswer
    this.peakMb = answer.peak_mb
    return answer
  }

  close(): void {
    this.#process.stdin!.end()
  }
}

async function lineOf(lines: AsyncIterator<string>, name: string): Promise<string> {
  const next = await lines.next()
  if (next.done) throw new Error(`${name} ended; see its message above`)
  return next.value
}
