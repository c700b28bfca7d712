import { X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { HopperError } from '@hopper/contracts'
import { auth, policies, types, type ClientOptions } from 'cassandra-driver'
import { repairPreparing } from './prepare-soon.ts'
import { RetryIdempotent } from './retry-reads.ts'
import { SteadyHosts } from './steady-hosts.ts'

/** How to reach a Cassandra cluster, and what to ask of it. */
export interface CassandraSettings {
  /** `host:port` of some nodes */
  readonly contactPoints: readonly string[]
  /**
   * the data center that is ours; every aggregator of an installation must be in the same, unless the consistency is
   * QUORUM
   */
  readonly dataCenter: string
  readonly keyspace: string
  /** replicas of each row in our data center, or in each of several by name; used when the keyspace is created */
  readonly replication: number | Readonly<Record<string, number>>
  /**
   * of every read and write; a single replica is all there is, so there LOCAL_ONE is as good. LOCAL_QUORUM when missing
   */
  readonly consistency?: Consistency
  readonly username?: string
  readonly password?: string
  readonly tls?: boolean
  /** a PEM file of the authority that has signed the nodes' certificates; those that Node.js knows when missing */
  readonly tlsCaFile?: string
  /** how long a lane belongs to an owner that does not renew */
  readonly leaseMs: number
  /**
   * How long after it was sent a counter write may still be applied although its answer never came: the server's
   * `counter_write_request_timeout` (5 s by default) and a margin for clocks and queues.
   */
  readonly unknownOutcomeMs: number
  /** how long the driver waits for an answer */
  readonly requestTimeoutMs: number
  /**
   * so many ids of a partition in one batch are packed, fewer are a row each; 16 to 1,024 when missing, the more the
   * more there are
   */
  readonly packedIdsMin?: number
  /** the same of rows of visitors of an app and date; 256 when missing */
  readonly packedRowsMin?: number
  /** how long packed rows of visitors wait before they are written out into the tables; 15 s when missing */
  readonly packedMs?: number
  /** visitors that a reader keeps in memory, in bytes: 20 to 40 for a visitor and 8 for each of its rows */
  readonly keptVisitorBytesMax: number
}

export const consistencies = ['LOCAL_QUORUM', 'QUORUM', 'LOCAL_ONE'] as const
export type Consistency = (typeof consistencies)[number]

export const cassandraDefaults = {
  keyspace: 'hopper',
  replication: 1,
  leaseMs: 15_000,
  unknownOutcomeMs: 7_000,
  requestTimeoutMs: 6_000,
  keptVisitorBytesMax: 256_000_000,
} as const satisfies Partial<CassandraSettings>

/** An idempotent statement without an answer is sent to the next node after this time; the first answer counts. */
const SPECULATE_AFTER_MS = 400
const SPECULATIONS_MAX = 2
const DEFAULT_PORT = 9042

repairPreparing()

const ofDriver = {
  LOCAL_QUORUM: types.consistencies.localQuorum,
  QUORUM: types.consistencies.quorum,
  LOCAL_ONE: types.consistencies.localOne,
}

/** For lightweight transactions and for reads that must see the last of them. */
export function serialConsistency({ consistency }: CassandraSettings): types.consistencies {
  return consistency === 'QUORUM' ? types.consistencies.serial : types.consistencies.localSerial
}

/**
 * A watermark once written must be read by every later owner, so reads and writes meet: by LOCAL_QUORUM, or where there
 * is but one replica. The driver must never send a counter write or a lightweight transaction twice by itself: these
 * are not idempotent, and nothing is unless its call says so. What is idempotent (reads, sets) goes to another node
 * when the first is slow, fails, or is silent. Throws HOP_CONFIG for settings that could lose or double a count, and
 * for a file that cannot be read.
 */
export function clientOptions(settings: CassandraSettings, keyspace?: string): ClientOptions {
  const { consistency = 'LOCAL_QUORUM', replication } = settings
  if (consistency === 'LOCAL_ONE' && replication !== 1)
    throw new HopperError('HOP_CONFIG', 'The consistency LOCAL_ONE is exact with a single replica only.')
  return {
    contactPoints: [...settings.contactPoints],
    localDataCenter: settings.dataCenter,
    // Nodes tell each other's addresses without ports.
    protocolOptions: { port: commonPort(settings.contactPoints) },
    ...(keyspace ? { keyspace } : {}),
    ...(settings.username
      ? { authProvider: new auth.PlainTextAuthProvider(settings.username, settings.password ?? '') }
      : {}),
    ...(settings.tls || settings.tlsCaFile ? { sslOptions: tlsOptions(settings) } : {}),
    encoding: { useBigIntAsLong: true },
    socketOptions: { readTimeout: settings.requestTimeoutMs, connectTimeout: 5_000 },
    // Each node prepares a statement when it first meets it: a silent one would be waited for.
    prepareOnAllHosts: false,
    policies: {
      loadBalancing: new SteadyHosts(
        new policies.loadBalancing.DefaultLoadBalancingPolicy({ localDc: settings.dataCenter }),
      ),
      retry: new RetryIdempotent(),
      speculativeExecution: new policies.speculativeExecution.ConstantSpeculativeExecutionPolicy(
        SPECULATE_AFTER_MS,
        SPECULATIONS_MAX,
      ),
      reconnection: new policies.reconnection.ExponentialReconnectionPolicy(200, 5_000),
    },
    queryOptions: {
      prepare: true,
      isIdempotent: false,
      fetchSize: 5_000,
      consistency: ofDriver[consistency],
      serialConsistency: serialConsistency(settings),
    },
  }
}

/**
 * The port of the nodes that the driver hears of from others. @throws HopperError HOP_CONFIG when the contact points
 * have different ones
 */
function commonPort(contactPoints: readonly string[]): number {
  const [port, ...others] = new Set(
    contactPoints.map((address) => Number(/:(\d+)$/.exec(address)?.[1] ?? DEFAULT_PORT)),
  )
  if (others.length > 0) {
    throw new HopperError(
      'HOP_CONFIG',
      `The Cassandra nodes ${contactPoints.join(', ')} have different ports: all nodes of a cluster must have the same.`,
    )
  }
  return port ?? DEFAULT_PORT
}

function tlsOptions({ tlsCaFile }: CassandraSettings): NonNullable<ClientOptions['sslOptions']> {
  return { rejectUnauthorized: true, ...(tlsCaFile ? { ca: [authorityOf(tlsCaFile)] } : {}) }
}

/** TLS itself would take anything for an authority, and trust nobody then. */
function authorityOf(path: string): Buffer {
  try {
    if (!statSync(path).isFile()) throw new Error('it is no file')
    const authority = readFileSync(path)
    new X509Certificate(authority)
    return authority
  } catch (cause) {
    throw new HopperError(
      'HOP_CONFIG',
      `The file ${path} cannot be read as a certificate in PEM: ${(cause as Error).message}.`,
      { cause },
    )
  }
}
