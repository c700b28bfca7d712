import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts, startJava, whenReady, type JavaProcess } from './java-process.ts'
import { jarsOf } from './jars.ts'

/** What Cassandra's own start script opens for Java 17; without these it does not start. */
const opens = [
  'java.base/java.lang.module', 'java.base/jdk.internal.loader', 'java.base/jdk.internal.ref', 'java.base/jdk.internal.reflect', 'java.base/jdk.internal.math',
  'java.base/jdk.internal.module', 'java.base/jdk.internal.util.jar', 'jdk.management/com.sun.management.internal', 'java.base/sun.nio.ch', 'java.base/java.io',
  'java.base/java.lang', 'java.base/java.lang.reflect', 'java.base/java.util', 'java.base/java.nio', 'java.rmi/sun.rmi.transport.tcp', 'java.base/java.util.concurrent',
]
const exported = [
  'java.base/jdk.internal.misc', 'java.management.rmi/com.sun.jmx.remote.internal.rmi', 'java.rmi/sun.rmi.registry', 'java.rmi/sun.rmi.server', 'java.sql/java.sql',
  'java.base/java.lang.ref', 'jdk.unsupported/sun.misc',
]

export interface CassandraNode {
  readonly contactPoint: string
  readonly dataCenter: string
  readonly process: JavaProcess
  /** Starts it again on the same ports and data, after it was stopped or killed. */
  restart(): Promise<CassandraNode>
}

/** A single Cassandra node of its own in `dir`. */
export async function startCassandra(dir: string, cache: string, ports?: readonly number[]): Promise<CassandraNode> {
  const jars = await jarsOf('cassandra', cache)
  const [cql, storage, jmx] = (ports ?? (await freePorts(3))) as [number, number, number]
  const conf = join(dir, 'conf')
  mkdirSync(conf, { recursive: true })
  writeFileSync(join(conf, 'cassandra.yaml'), configuration(dir, cql, storage))
  writeFileSync(join(conf, 'logback.xml'), logging)
  const logFile = join(dir, `cassandra-${Date.now()}.log`)
  writeFileSync(logFile, '')
  const process = startJava([
    '-Xms768m', '-Xmx768m', '-XX:+UseG1GC', '-Xss256k', '-Djdk.attach.allowAttachSelf=true',
    ...opens.flatMap((name) => ['--add-opens', `${name}=ALL-UNNAMED`]), ...exported.flatMap((name) => ['--add-exports', `${name}=ALL-UNNAMED`]),
    `-Dcassandra.config=file://${conf}/cassandra.yaml`, `-Dcassandra.storagedir=${dir}`, `-Dcassandra.jmx.local.port=${jmx}`,
    `-Dlogback.configurationFile=${conf}/logback.xml`, '-Dcassandra.skip_wait_for_gossip_to_settle=0', '-Dcassandra.ring_delay_ms=1', '-Dcassandra-foreground=yes',
    '-cp', `${conf}:${jars}`, 'org.apache.cassandra.service.CassandraDaemon',
  ], logFile)
  await whenReady(process, () => readFileSync(logFile, 'utf8').includes('Starting listening for CQL clients'))
  return { contactPoint: `127.0.0.1:${cql}`, dataCenter: 'datacenter1', process, restart: () => startCassandra(dir, cache, [cql, storage, jmx]) }
}

function configuration(dir: string, cql: number, storage: number): string {
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
      - seeds: "127.0.0.1:${storage}"
listen_address: 127.0.0.1
rpc_address: 127.0.0.1
storage_port: ${storage}
native_transport_port: ${cql}
endpoint_snitch: SimpleSnitch
auto_bootstrap: false
counter_write_request_timeout: 1000ms
`
}

const logging = `<configuration><appender name="OUT" class="ch.qos.logback.core.ConsoleAppender"><encoder>
<pattern>%-5level %date{ISO8601} %msg%n</pattern></encoder></appender><root level="INFO"><appender-ref ref="OUT"/></root></configuration>
`
