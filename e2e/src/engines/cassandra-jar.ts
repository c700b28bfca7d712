import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePorts, shortLived, startJava, whenReady, type JavaProcess } from './java-process.ts'
import { jarsOf } from './jars.ts'
import { until } from '../installations/until.ts'

/** The packages that Cassandra's own start script opens for Java 17. It does not start without these. */
const opens = [
  'java.base/java.lang.module',
  'java.base/jdk.internal.loader',
  'java.base/jdk.internal.ref',
  'java.base/jdk.internal.reflect',
  'java.base/jdk.internal.math',
  'java.base/jdk.internal.module',
  'java.base/jdk.internal.util.jar',
  'jdk.management/com.sun.management.internal',
  'java.base/sun.nio.ch',
  'java.base/java.io',
  'java.base/java.lang',
  'java.base/java.lang.reflect',
  'java.base/java.util',
  'java.base/java.nio',
  'java.rmi/sun.rmi.transport.tcp',
  'java.base/java.util.concurrent',
]
const exported = [
  'java.base/jdk.internal.misc',
  'java.management.rmi/com.sun.jmx.remote.internal.rmi',
  'java.rmi/sun.rmi.registry',
  'java.rmi/sun.rmi.server',
  'java.sql/java.sql',
  'java.base/java.lang.ref',
  'jdk.unsupported/sun.misc',
]

const access = [
  ...opens.flatMap((name) => ['--add-opens', `${name}=ALL-UNNAMED`]),
  ...exported.flatMap((name) => ['--add-exports', `${name}=ALL-UNNAMED`]),
]

export interface CassandraNode {
  readonly contactPoint: string
  readonly dataCenter: string
  readonly process: JavaProcess
  /** Runs a command of nodetool on the node; returns its output. */
  nodetool(...args: readonly string[]): Promise<string>
  /** Restarts the node on the same ports and data, after it was stopped or killed. */
  restart(): Promise<CassandraNode>
}

/** Options of one node of a test cluster. */
interface NodeOptions {
  readonly dir: string
  readonly cache: string
  /** the node's own loopback address */
  readonly address: string
  readonly cql: number
  /** the port between nodes; all nodes of a cluster have the same */
  readonly storage: number
  readonly jmx: number
  /** address and port of the node through which the others join */
  readonly seed: string
  readonly heapMb: number
  /** flags of the virtual machine besides its heap size */
  readonly flags: readonly string[]
}

const LOOPBACK = '127.0.0.1'
const HEAP_MB = 768
/** A flag of a node that is not killed: schema changes, most of a test's writes, are not flushed one by one. */
export const lazySchema = '-Dcassandra.test.flush_local_schema_changes=false'

/** Settings of a node among several on one machine: it is patient with the others, which share the processors. */
const RING_HEAP_MB = 384
const RING_FLAGS = [...shortLived, lazySchema, '-Dcassandra.shadow_round_delay_ms=60000']

/** Starts a single Cassandra node in `dir`, with flags of its virtual machine. */
export async function startCassandra(dir: string, cache: string, flags = shortLived): Promise<CassandraNode> {
  const [cql, storage, jmx] = (await freePorts(3)) as [number, number, number]
  return startNode({
    dir,
    cache,
    address: LOOPBACK,
    cql,
    storage,
    jmx,
    seed: `${LOOPBACK}:${storage}`,
    heapMb: HEAP_MB,
    flags,
  })
}

/**
 * Starts three nodes in folders of `dir`, each on its own loopback address, and waits until all have joined one
 * cluster.
 */
export async function startCassandraRing(dir: string, cache: string): Promise<CassandraNode[]> {
  const [cql, storage, ...jmx] = (await freePorts(5)) as [number, number, ...number[]]
  const options = jmx.map((port, index) => ({
    dir: join(dir, `node-${index}`),
    cache,
    address: `127.0.0.${index + 2}`,
    cql,
    storage,
    jmx: port,
    seed: `127.0.0.2:${storage}`,
    heapMb: RING_HEAP_MB,
    flags: RING_FLAGS,
  }))
  const [first, ...others] = options
  const seed = await startNode(first!)
  const joined = await Promise.allSettled(others.map(startNode))
  const nodes = [seed, ...joined.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))]
  try {
    for (const each of joined) if (each.status === 'rejected') throw each.reason
    await until(() => nodes.every((node) => seesAll(node, others.length)), JOIN_TIMEOUT_MS)
  } catch (error) {
    await Promise.all(nodes.map((node) => node.process.stop()))
    throw error
  }
  return nodes
}

const JOIN_TIMEOUT_MS = 60_000
const NODETOOL_TIMEOUT_MS = 120_000

/** Checks whether a node's log reports n other nodes as up. */
function seesAll({ process }: CassandraNode, others: number): boolean {
  const up = readFileSync(process.logFile, 'utf8').matchAll(/InetAddress \/(\S+) is now UP/g)
  return new Set([...up].map(([, address]) => address)).size >= others
}

async function startNode(options: NodeOptions): Promise<CassandraNode> {
  const { dir, cache, address, cql, jmx, heapMb, flags } = options
  const jars = await jarsOf('cassandra', cache)
  const conf = join(dir, 'conf')
  mkdirSync(conf, { recursive: true })
  writeFileSync(join(conf, 'cassandra.yaml'), configuration(options))
  writeFileSync(join(conf, 'logback.xml'), logging)
  writeFileSync(join(conf, 'logback-tools.xml'), '<configuration/>')
  const logFile = join(dir, `cassandra-${Date.now()}.log`)
  writeFileSync(logFile, '')
  const process = startJava(
    [
      `-Xms${heapMb}m`,
      `-Xmx${heapMb}m`,
      ...flags,
      '-Xss256k',
      '-Djdk.attach.allowAttachSelf=true',
      ...access,
      `-Dcassandra.config=file://${conf}/cassandra.yaml`,
      `-Dcassandra.storagedir=${dir}`,
      `-Dcassandra.jmx.local.port=${jmx}`,
      `-Dlogback.configurationFile=${conf}/logback.xml`,
      '-Dcassandra.skip_wait_for_gossip_to_settle=0',
      '-Dcassandra.ring_delay_ms=1',
      '-Dcassandra-foreground=yes',
      '-cp',
      `${conf}:${jars}`,
      'org.apache.cassandra.service.CassandraDaemon',
    ],
    logFile,
  )
  await whenReady(process, () => readFileSync(logFile, 'utf8').includes('Starting listening for CQL clients'))
  const nodetool = async (...args: readonly string[]): Promise<string> => {
    const quiet = `-Dlogback.configurationFile=${conf}/logback-tools.xml`
    const tool = [
      '-Xmx64m',
      ...shortLived,
      ...access,
      quiet,
      '-cp',
      jars,
      'org.apache.cassandra.tools.NodeTool',
      '-h',
      LOOPBACK,
      '-p',
      String(jmx),
    ]
    return (await promisify(execFile)('java', [...tool, ...args], { timeout: NODETOOL_TIMEOUT_MS })).stdout
  }
  return {
    contactPoint: `${address}:${cql}`,
    dataCenter: 'datacenter1',
    process,
    nodetool,
    restart: () => startNode(options),
  }
}

function configuration({ dir, address, cql, storage, seed }: NodeOptions): string {
  return `cluster_name: hopper
num_tokens: 16
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
commitlog_sync: group
commitlog_sync_group_window: 5ms
data_file_directories: [${dir}/data]
commitlog_directory: ${dir}/commitlog
saved_caches_directory: ${dir}/saved_caches
hints_directory: ${dir}/hints
cdc_raw_directory: ${dir}/cdc
seed_provider:
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters:
      - seeds: "${seed}"
listen_address: ${address}
rpc_address: ${address}
storage_port: ${storage}
native_transport_port: ${cql}
endpoint_snitch: SimpleSnitch
auto_bootstrap: false
auto_snapshot: false
counter_write_request_timeout: 1000ms
`
}

const logging = `<configuration><appender name="OUT" class="ch.qos.logback.core.ConsoleAppender"><encoder>
<pattern>%-5level %date{ISO8601} %msg%n</pattern></encoder></appender>
<root level="INFO"><appender-ref ref="OUT"/></root></configuration>
`
