import { laneOf } from '@hopper/contracts'

/**
 * Measured capacity of one core, from which the size of a cluster is calculated. The result is an estimate for
 * planning: measure your own traffic, and keep a third in reserve.
 */
export interface Measured {
  /** events per second that one core of ingest takes over HTTP and writes to Kafka, in bodies of about 50 */
  readonly ingestPerCore: number
  /** events per second that one core of an aggregator counts and archives */
  readonly aggregatorPerCore: number
  /** bytes per event in Kafka, compressed, before replication */
  readonly logBytes: number
  /** bytes per event in Cassandra (archive, seen ids, visitors), before replication */
  readonly storeBytes: number
  /** rows that an event writes to Cassandra: its id, and its share of visitors and counters */
  readonly rowsPerEvent: number
}

/** Assumed load of a server, well below its limits so that it can take over for a failed one. */
export interface Assumed {
  /** rows per second that a Cassandra node of 8 cores writes, as a replica, in batches of one partition */
  readonly rowsPerNode: number
  /** bytes per second that a broker writes, as leader or follower */
  readonly bytesPerBroker: number
  readonly replication: number
  /** share of a process that the traffic may use at its peak */
  readonly utilization: number
}

export interface Cluster {
  readonly eventsPerSecond: number
  readonly lanes: number
  readonly ingest: number
  readonly aggregators: number
  readonly brokers: number
  readonly nodes: number
  /** gigabytes per day over all brokers, and over all nodes */
  readonly logGigabytes: number
  readonly storeGigabytes: number
  /** load of the busiest lane relative to the mean */
  readonly busiestLane: number
}

const DAY_SECONDS = 86_400
const LANES_MIN = 8
const LANES_MAX = 1_024
/** lanes per aggregator, so that the lanes of a failed one are taken over in small parts */
const LANES_PER_AGGREGATOR = 4
/** seconds between events of an active device; determines the number of active devices from the rate */
const SECONDS_PER_EVENT_OF_DEVICE = 4
const DEVICES_SIMULATED_MAX = 1_000_000

export function clusterFor(eventsPerSecond: number, measured: Measured, assumed: Assumed): Cluster {
  const { replication, utilization } = assumed
  const processes = (perCore: number): number => Math.max(2, Math.ceil(eventsPerSecond / (perCore * utilization)))
  const aggregators = processes(measured.aggregatorPerCore)
  const lanes = Math.min(LANES_MAX, Math.max(LANES_MIN, 2 ** Math.ceil(Math.log2(aggregators * LANES_PER_AGGREGATOR))))
  const rows = eventsPerSecond * measured.rowsPerEvent * replication
  const bytes = eventsPerSecond * measured.logBytes * replication
  return {
    eventsPerSecond,
    lanes,
    aggregators,
    ingest: processes(measured.ingestPerCore),
    brokers: Math.max(3, Math.ceil(bytes / (assumed.bytesPerBroker * utilization))),
    nodes: Math.max(3, Math.ceil(rows / (assumed.rowsPerNode * utilization))),
    logGigabytes: (bytes * DAY_SECONDS) / 1e9,
    storeGigabytes: (eventsPerSecond * measured.storeBytes * replication * DAY_SECONDS) / 1e9,
    busiestLane: busiestOf(lanes, eventsPerSecond * SECONDS_PER_EVENT_OF_DEVICE),
  }
}

/**
 * Distributes devices over their lanes, a tenth of them ten times as busy as the rest; returns the busiest lane's load
 * relative to the mean.
 */
function busiestOf(lanes: number, devices: number): number {
  const loads = new Float64Array(lanes)
  const simulated = Math.min(devices, DEVICES_SIMULATED_MAX)
  for (let device = 0; device < simulated; device++)
    loads[laneOf('app', `device-${device}`, lanes)]! += device % 10 === 0 ? 10 : 1
  return Math.max(...loads) / (loads.reduce((sum, load) => sum + load, 0) / lanes)
}
