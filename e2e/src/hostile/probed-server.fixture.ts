import { join } from 'node:path'
import type { Provision } from '@hopper/contracts'
import { Service } from '../installations/service.ts'
import { until } from '../installations/until.ts'
import { directoryFor } from '../installations/installation.ts'
import { PROBE_MARK, type Probed } from './event-loop-probe.ts'

const PROBE_MS_MAX = 30_000

/** Standalone as users run it, in a directory of its own, with a probe of its event loop. */
export interface ProbedServer {
  readonly service: Service
  readonly dataDir: string
  /** Reports the routes, and the delays of the event loop since the last call. */
  probe(): Promise<Probed>
  dispose(): Promise<void>
}

export async function probedServer(
  provision: Provision,
  env: Readonly<Record<string, string>> = {},
): Promise<ProbedServer> {
  const { dir, provisionArgs, remove } = directoryFor({ provision })
  const dataDir = join(dir, 'data')
  const service = await Service.of('start', ['--data', dataDir, ...provisionArgs], {
    HOPPER_LOG_LEVEL: 'warn',
    NODE_OPTIONS: `--import=${join(import.meta.dirname, 'event-loop-probe.ts')}`,
    ...env,
  })
  await service.start()
  const lines = (): string[] =>
    service.output.split('\n').flatMap((line) => (line.startsWith(PROBE_MARK) ? [line.slice(PROBE_MARK.length)] : []))
  return {
    service,
    dataDir,
    async probe() {
      const before = lines().length
      service.signal('SIGUSR2')
      await until(() => lines().length > before && service.output.endsWith('\n'), PROBE_MS_MAX)
      return JSON.parse(lines().at(-1)!) as Probed
    },
    async dispose() {
      await service.stop('SIGKILL')
      remove()
    },
  }
}
