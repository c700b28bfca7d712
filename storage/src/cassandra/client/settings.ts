import { X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { HopperError } from '@hopper/contracts'
import { auth, policies, types, type ClientOptions } from 'cassandra-driver'
import { repairPreparing } from './prepare-soon.ts'
import { RetryIdempotent } from './retry-reads.ts'
import { ResponsiveHosts } from './nodes/responsive-hosts.ts'

/** Connection to a Cassandra cluster, and the requirements for its use. */
export interface CassandraSettings {
  /** `host:port` of some nodes */
  readonly contactPoints: readonly string[]
  /**
   * the local data center; every aggregator of an installation must be in the same one, unless the consistency is
   * QUORUM
   */
  readonly dataCenter: string
  readonly keyspace: string
  /**
   * replicas of each row in the local data center, or in each of several data centers by name; used when the keyspace
   * is created
   */
  readonly replication: number | Readonly<Record<string, number>>
  /** consistency of every read and write, LOCAL_QUORUM if missing; with a single replica LOCAL_ONE is equivalent */
  readonly consistency?: Consistency
  readonly username?: string
  readonly password?: string
  readonly tls?: boolean
  /** PEM file of the authority that signed the nodes' certificates; if missing, the authorities known to Node.js */
  readonly tlsCaFile?: string
  /** time after which an owner loses a lane that it does not renew */
  readonly leaseMs: number
  /**
   * Time after which a counter write without a response can no longer be applied: the server's
   * `counter_write_request_timeout` (5 s by default) plus a margin for clocks and queues.
   */
  readonly unknownOutcomeMs: number
  /** timeout of a request */
  readonly requestTimeoutMs: number
  /**
   * time for which a read is repeated while Cassandra cannot answer it; if missing, it fails immediately, as a caller
   * of the API expects
   */
  readonly readRepeatMs?: number
  /**
   * minimum number of ids of a partition in one batch that are packed instead of written as a row each; if missing, 16
   * to 1,024, growing with the number of ids
   */
  readonly packedIdsMin?: number
  /** the same for visitor rows of an app and date; 256 if missing */
  readonly packedRowsMin?: number
  /** time that packed visitor rows wait before they are written out into the tables; 15 s if missing */
  readonly packedMs?: number
  /** memory for visitors cached by a reader, in bytes: 20 to 40 for a visitor and 8 for each of its rows */
  readonly visitorCacheBytesMax: number
}

export const consistencies = ['LOCAL_QUORUM', 'QUORUM', 'LOCAL_ONE'] as const
export type Consistency = (typeof consistencies)[number]

export const cassandraDefaults = {
  keyspace: 'hopper',
  replication: 1,
  leaseMs: 15_000,
  unknownOutcomeMs: 7_000,
  requestTimeoutMs: 6_000,
  visitorCacheBytesMax: 256_000_000,
} as const satisfies Partial<CassandraSettings>

/**
 * An idempotent statement without a response is also sent to the next node after this time; the first response counts.
 */
const SPECULATE_AFTER_MS = 400
const SPECULATIONS_MAX = 2
const DEFAULT_PORT = 9042

repairPreparing()

const ofDriver = {
  LOCAL_QUORUM: types.consistencies.localQuorum,
  QUORUM: types.consistencies.quorum,
  LOCAL_ONE: types.consistencies.localOne,
}

/** Consistency of lightweight transactions and of reads that must see the last of them. */
export function serialConsistency({ consistency }: CassandraSettings): types.consistencies {
  return consistency === 'QUORUM' ? types.consistencies.serial : types.consistencies.localSerial
}

/**
 * Builds the options of the driver. A watermark must be visible to every later owner once it is written, so reads and
 * writes must overlap: by LOCAL_QUORUM, or with a single replica. The driver must never retry a counter write or a
 * lightweight transaction by itself, as they are not idempotent. A call counts as idempotent only if it says so.
 * Idempotent requests (reads, sets) go to another node when the first is slow, fails, or is silent. Throws HOP_CONFIG
 * for settings that could lose or double a count, and for a file that cannot be read.
 */
export function clientOptions(settings: CassandraSettings, keyspace?: string): ClientOptions {
  const { consistency = 'LOCAL_QUORUM', replication } = settings
  if (consistency === 'LOCAL_ONE' && replication !== 1)
    throw new HopperError('HOP_CONFIG', 'The consistency LOCAL_ONE is exact with a single replica only.')
  return {
    contactPoints: [...settings.contactPoints],
    localDataCenter: settings.dataCenter,
    // Nodes report each other's addresses without ports.
    protocolOptions: { port: commonPort(settings.contactPoints) },
    ...(keyspace ? { keyspace } : {}),
    ...(settings.username
      ? { authProvider: new auth.PlainTextAuthProvider(settings.username, settings.password ?? '') }
      : {}),
    ...(settings.tls || settings.tlsCaFile ? { sslOptions: tlsOptions(settings) } : {}),
    encoding: { useBigIntAsLong: true },
    socketOptions: { readTimeout: settings.requestTimeoutMs, connectTimeout: 5_000 },
    // Each node prepares a statement on its first use: preparing on all nodes would wait for a silent one.
    prepareOnAllHosts: false,
    policies: {
      loadBalancing: new ResponsiveHosts(
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
 * The port of the nodes that the driver discovers.
 * @throws HopperError HOP_CONFIG when the contact points have different ports
 */
function commonPort(contactPoints: readonly string[]): number {
  const [port, ...others] = new Set(
    contactPoints.map((address) => Number(/:(\d+)$/.exec(address)?.[1] ?? DEFAULT_PORT)),
  )
  if (others.length > 0) {
    throw new HopperError(
      'HOP_CONFIG',
      `The Cassandra nodes ${contactPoints.join(', ')} have different ports: ` +
        'all nodes of a cluster must have the same.',
    )
  }
  return port ?? DEFAULT_PORT
}

function tlsOptions({ tlsCaFile }: CassandraSettings): NonNullable<ClientOptions['sslOptions']> {
  return { rejectUnauthorized: true, ...(tlsCaFile ? { ca: [authorityOf(tlsCaFile)] } : {}) }
}

/** Checks the file: TLS itself accepts any content as an authority and then trusts nobody. */
function authorityOf(path: string): Buffer {
  try {
    if (!statSync(path).isFile()) throw new Error('it is not a file')
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
