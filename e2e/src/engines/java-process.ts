import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'

/** Flags of virtual machines that live for a test: they start with about half of the processor time. */
export const shortLived: readonly string[] = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
/** Flags of those that serve a whole run or are measured: they get faster. */
export const longLived: readonly string[] = ['-XX:+UseG1GC']

/** A Java server of a test, signalled by its process id. Its output goes to a file. */
export interface JavaProcess {
  readonly child: ChildProcess
  readonly logFile: string
  /** Sends SIGTERM and, after 20 s, SIGKILL; resolves when the process has ended. */
  stop(): Promise<void>
}

export function startJava(args: readonly string[], logFile: string): JavaProcess {
  const child = spawn('java', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const log = createWriteStream(logFile, { flags: 'a' })
  child.stdout.pipe(log, { end: false })
  child.stderr.pipe(log, { end: false })
  return { child, logFile, stop: () => stop(child) }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000)
  await ended
  clearTimeout(timer)
}

/**
 * Resolves when `ready` returns true. Rejects with the end of the log when the process ends before that, or after 120
 * s.
 */
export async function whenReady(process: JavaProcess, ready: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 120_000
  while (!(await ready())) {
    const { exitCode } = process.child
    if (exitCode !== null || performance.now() > end) {
      throw new Error(
        `an engine did not start (exit ${exitCode}):\n${readFileSync(process.logFile, 'utf8').slice(-3_000)}`,
      )
    }
    await new Promise((next) => setTimeout(next, 200))
  }
}

export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer()
      await once(server.listen(0, '127.0.0.1'), 'listening')
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => once(server.close(), 'close')))
  return ports
}
