import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { freePorts, shortLived, startJava, whenReady, type JavaProcess } from './java-process.ts'
import { jarsOf } from './jars.ts'

export interface KafkaBroker {
  readonly address: string
  /** the listener that requires a user by SASL PLAIN, see `saslUser` */
  readonly saslAddress: string
  readonly process: JavaProcess
  /** Restarts the broker on the same ports and data, after it was stopped or killed. */
  restart(): Promise<KafkaBroker>
}

/** The user that `saslAddress` accepts. */
export const saslUser = { name: 'hopper', password: 'right' } as const

/** Starts a single Kafka broker in KRaft mode in `dir`, with flags of its virtual machine. */
export async function startKafka(
  dir: string,
  cache: string,
  { flags = shortLived, ports }: { flags?: readonly string[]; ports?: readonly number[] } = {},
): Promise<KafkaBroker> {
  const jars = await jarsOf('kafka', cache)
  const [port, controller, sasl] = (ports ?? (await freePorts(3))) as [number, number, number]
  mkdirSync(dir, { recursive: true })
  const properties = join(dir, 'server.properties')
  writeFileSync(properties, configuration(dir, { port, controller, sasl }))
  if (!existsSync(join(dir, 'data/meta.properties'))) {
    // One id in 64 begins with a dash, which would be parsed as an option.
    const id = randomBytes(16).toString('base64url').replace(/^-/, 'A')
    const tool = ['-cp', jars, 'kafka.tools.StorageTool', 'format', '-t', id, '-c', properties]
    execFileSync('java', [...shortLived, ...tool], { stdio: 'pipe' })
  }
  const log = join(dir, `kafka-${Date.now()}.log`)
  const process = startJava(['-Xmx384m', ...flags, '-cp', jars, 'kafka.Kafka', properties], log)
  await whenReady(process, () => answers(port))
  return {
    address: `127.0.0.1:${port}`,
    saslAddress: `127.0.0.1:${sasl}`,
    process,
    restart: () => startKafka(dir, cache, { flags, ports: [port, controller, sasl] }),
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => (socket.destroy(), resolve(true)))
    socket.on('error', () => resolve(false))
  })
}

function configuration(
  dir: string,
  { port, controller, sasl }: { port: number; controller: number; sasl: number },
): string {
  const { name, password } = saslUser
  const plainLogin = 'org.apache.kafka.common.security.plain.PlainLoginModule'
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controller}
listeners=PLAINTEXT://127.0.0.1:${port},SASL://127.0.0.1:${sasl},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=PLAINTEXT://127.0.0.1:${port},SASL://127.0.0.1:${sasl}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=PLAIN
listener.name.sasl.plain.sasl.jaas.config=${plainLogin} required user_${name}="${password}";
log.dirs=${dir}/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=500
auto.create.topics.enable=false
`
}
