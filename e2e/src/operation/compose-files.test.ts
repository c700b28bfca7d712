import { execFileSync } from 'node:child_process'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { environment } from '../installations/config.ts'
import versions from '../engines/versions.json' with { type: 'json' }

interface Service {
  readonly image: string
  readonly command?: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly volumes?: readonly { readonly source: string }[]
}
type Services = Readonly<Record<string, Service>>

const repository = resolve(import.meta.dirname, '../../..')
const processes = ['migrate', 'ingest', 'aggregator', 'api']

// `config` needs no Docker engine, but a machine without one may have no compose.
describe.skipIf(environment.DOCKER_HOST === undefined)('the compose files', () => {
  it('run the same processes with the same settings, except for engine addresses and resource shares', () => {
    const [one, three] = [
      servicesOf('docker-compose.yml'),
      servicesOf('docker-compose.yml', 'docker-compose.three.yml'),
    ]
    const differ = [
      'HOPPER_KAFKA_BROKERS',
      'HOPPER_KAFKA_REPLICATION',
      'HOPPER_CASSANDRA_CONTACT_POINTS',
      'HOPPER_CASSANDRA_REPLICATION',
      'HOPPER_LANES',
    ]
    for (const name of processes) expect(comparable(three[name]!, differ), name).toEqual(comparable(one[name]!, differ))
    expect(
      Object.keys(three)
        .filter((name) => !(name in one))
        .sort(),
    ).toEqual(['cassandra2', 'cassandra3', 'kafka2', 'kafka3'])
  })

  it('configure each process with every engine and with replication to all three', () => {
    const services = servicesOf('docker-compose.yml', 'docker-compose.three.yml')
    const [brokers, nodes] = [versions.kafka.image, versions.cassandra.image].map((image) =>
      Object.keys(services).filter((name) => services[name]!.image === image),
    )
    expect([brokers!.length, nodes!.length]).toEqual([3, 3])
    for (const name of processes) {
      expect(services[name]!.environment, name).toMatchObject({
        HOPPER_KAFKA_BROKERS: brokers!.map((broker) => `${broker}:9092`).join(),
        HOPPER_KAFKA_REPLICATION: '3',
        HOPPER_CASSANDRA_CONTACT_POINTS: nodes!.map((node) => `${node}:9042`).join(),
        HOPPER_CASSANDRA_REPLICATION: '3',
      })
    }
  })

  it('give each engine its own volume', () => {
    const services = servicesOf('docker-compose.yml', 'docker-compose.three.yml')
    const images = [versions.kafka.image, versions.cassandra.image]
    const volumes = Object.values(services)
      .filter(({ image }) => images.includes(image))
      .map((service) => service.volumes?.[0]?.source)
    expect(new Set(volumes).size).toBe(6)
    expect(volumes).not.toContain(undefined)
  })
})

/** Returns the services that compose merges from the files. Throws compose's message for a bad file. */
function servicesOf(...files: readonly string[]): Services {
  const named = files.flatMap((file) => ['-f', file])
  const text = execFileSync('docker', ['compose', ...named, 'config', '--format', 'json'], {
    cwd: repository,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return (JSON.parse(text) as { services: Services }).services
}

function comparable(service: Service, differ: readonly string[]): unknown {
  const environment = Object.fromEntries(Object.entries(service.environment).filter(([name]) => !differ.includes(name)))
  return { ...service, depends_on: undefined, dns_opt: undefined, environment }
}
