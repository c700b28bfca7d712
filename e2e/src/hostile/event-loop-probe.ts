import { subscribe } from 'node:diagnostics_channel'
import { createHistogram } from 'node:perf_hooks'
import { isMainThread } from 'node:worker_threads'

/** A route of a running server, with the access that is declared beside it. */
export interface ServedRoute {
  readonly method: string
  readonly url: string
  readonly access?: string
  /** pages of shared links whose readers may call it too */
  readonly sharedPages?: readonly string[]
}

/**
 * Output of the probe on each signal: the routes, and the delays of the event loop since the last one, in ms of CPU
 * time that the thread used between two turns. Unlike wall-clock time, it excludes other programs.
 */
export interface Probed {
  readonly routes: readonly ServedRoute[]
  readonly p99: number
  readonly max: number
}

/** Marks the lines of the probe in the output of the process. */
export const PROBE_MARK = 'PROBE '

const TURN_MS = 2

interface RouteOptions {
  readonly method: string | readonly string[]
  readonly url: string
  readonly config?: { readonly access?: string; readonly sharedPages?: readonly string[] }
}
interface FastifyMessage {
  readonly fastify: { addHook(name: 'onRoute', hook: (route: RouteOptions) => void): void }
}

/**
 * Loaded by `--import` into a process of Hopper, so that a test sees its routes and the delays of its HTTP thread
 * without any part of Hopper knowing of it.
 */
if (isMainThread) {
  const routes: RouteOptions[] = []
  subscribe('fastify.initialization', (message) => {
    ;(message as FastifyMessage).fastify.addHook('onRoute', (route) => void routes.push(route))
  })
  const delay = createHistogram()
  let last = usedMicros()
  setInterval(() => {
    const now = usedMicros()
    delay.record(Math.max(1, now - last))
    last = now
  }, TURN_MS).unref()
  process.on('SIGUSR2', () => {
    const served = routes.flatMap(({ method, url, config }) =>
      [method].flat().map((each) => ({
        method: each,
        url,
        ...(config?.access && { access: config.access }),
        ...(config?.sharedPages && { sharedPages: config.sharedPages }),
      })),
    )
    const probed: Probed = { routes: served, p99: delay.percentile(99) / 1e3, max: delay.max / 1e3 }
    delay.reset()
    process.stdout.write(`${PROBE_MARK}${JSON.stringify(probed)}\n`)
  })
}

/** CPU time that this thread has used, in microseconds. */
function usedMicros(): number {
  const { user, system } = process.threadCpuUsage()
  return user + system
}
