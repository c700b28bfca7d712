import { join } from 'node:path'
import { openEmbedded } from '@hopper/storage/embedded'
import { directoryFor, stopAll, type Installation, type InstallationOptions } from './installation.ts'
import { hopper, Service } from './service.ts'

const LANES = 8
/** The engines of the run must not reach an installation that runs in a directory. */
const noEngines = { HOPPER_KAFKA_BROKERS: '', HOPPER_CASSANDRA_CONTACT_POINTS: '' }

/** Prepares one process in its own directory, without starting it. */
export async function standalone(options: InstallationOptions = {}): Promise<Installation> {
  const { dir, provisionArgs, remove } = directoryFor(options)
  const data = join(dir, 'data')
  const service = await Service.of('start', ['--data', data, ...provisionArgs], options.env)
  return {
    ingestUrl: service.url,
    apiUrl: service.url,
    services: [service],
    output: () => service.output,
    start: () => service.start(),
    stop: (signal) => stopAll([service], signal),
    openStorage: () => openEmbedded({ dir: data, lanes: LANES }),
    run: (args) => hopper([...args, '--data', data, '--lanes', String(LANES)], { ...options.env, ...noEngines }),
    dispose: async () => {
      await service.stop('SIGKILL')
      remove()
    },
  }
}
