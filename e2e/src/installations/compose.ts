import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import type { Installation } from './installation.ts'

const run = promisify(execFile)
const repository = resolve(import.meta.dirname, '../../..')
const BUILD_TIMEOUT_MS = 900_000

/**
 * Hopper as `docker compose up` starts it: with its own network and volumes, reached by the ports that the compose
 * file publishes.
 */
export interface Composed extends Installation {
  /** Runs a subcommand of `docker compose` on the installation; returns its output. */
  compose(...args: string[]): Promise<string>
}

export function composed(): Composed {
  const project = `hopper-e2e-${randomBytes(4).toString('hex')}`
  let printed = ''
  const compose = async (...args: string[]): Promise<string> => {
    const options = { cwd: repository, timeout: BUILD_TIMEOUT_MS, maxBuffer: 100_000_000 }
    const { stdout } = await run('docker', ['compose', '-p', project, '-f', 'docker-compose.yml', ...args], options)
    return stdout
  }
  return {
    compose,
    ingestUrl: 'http://127.0.0.1:8081',
    apiUrl: 'http://127.0.0.1:8080',
    services: [],
    output: () => printed,
    start: async () => {
      try {
        await compose('up', '-d', '--build', '--wait')
      } finally {
        printed = await compose('logs', '--no-log-prefix')
      }
    },
    stop: async () => {
      await compose('stop')
      return []
    },
    openStorage: () => Promise.reject(new Error('the engines of a composed installation have no ports here')),
    run: (args) => compose('run', '--rm', 'api', ...args),
    dispose: async () => void (await compose('down', '-v', '--remove-orphans')),
  }
}

/** Checks whether a Docker engine with compose answers. */
export async function canCompose(): Promise<boolean> {
  const answers = await Promise.allSettled([run('docker', ['info']), run('docker', ['compose', 'version'])])
  return answers.every(({ status }) => status === 'fulfilled')
}
