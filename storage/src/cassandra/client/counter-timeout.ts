import { HopperError } from '@hopper/contracts'
import { Client, type Host } from 'cassandra-driver'
import { clientOptions, type CassandraSettings } from './settings.ts'

/** margin for clocks, queues and the network */
const MARGIN_MS = 500
const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Receives a warning for each node that could not be checked. */
export interface TimeoutLogger {
  warn(details: object, message: string): void
}

/**
 * Checks that `unknownOutcomeMs` exceeds the `counter_write_request_timeout` of every node. Exactly-once counting
 * relies on waiting until no node can still apply a counter write.
 * @throws HopperError HOP_CONFIG when it does not exceed the timeout of a node, HOP_STORE_UNAVAILABLE when no node
 * answers
 */
export async function assertOutlastsCounterWrites(settings: CassandraSettings, logger: TimeoutLogger): Promise<void> {
  const client = new Client(clientOptions(settings))
  try {
    await client.connect().catch((cause: Error) => {
      throw new HopperError('HOP_STORE_UNAVAILABLE', 'Cassandra cannot be reached.', { cause })
    })
    for (const host of client.hosts.values()) {
      const timeoutMs = host.isUp() ? await timeoutOf(client, host, logger) : undefined
      if (timeoutMs === undefined || settings.unknownOutcomeMs >= timeoutMs + MARGIN_MS) continue
      const applied =
        `node ${host.address} may apply a counter write ${timeoutMs} ms after it was sent ` +
        '(counter_write_request_timeout)'
      throw new HopperError(
        'HOP_CONFIG',
        `--unknown-outcome-ms is ${settings.unknownOutcomeMs}, but ${applied}: ` +
          `it must be at least ${timeoutMs + MARGIN_MS}.`,
      )
    }
  } finally {
    await client.shutdown()
  }
}

/** Reads the timeout of one node. Returns undefined and logs a warning if it cannot be read. */
async function timeoutOf(client: Client, host: Host, logger: TimeoutLogger): Promise<number | undefined> {
  const query =
    'SELECT name, value FROM system_views.settings ' +
    "WHERE name IN ('counter_write_request_timeout', 'counter_write_request_timeout_in_ms')"
  try {
    const { rows } = await client.execute(query, [], { prepare: false, host, isIdempotent: true })
    const found = rows.map((row) => parseTimeout(String(row.get('value')))).filter((ms) => ms !== undefined)
    if (found.length > 0) return Math.max(...found)
    logger.warn(
      { node: host.address },
      'a node does not report its counter_write_request_timeout, which --unknown-outcome-ms must exceed',
    )
  } catch (error) {
    logger.warn(
      { node: host.address, err: error },
      'the counter_write_request_timeout of a node could not be read, which --unknown-outcome-ms must exceed',
    )
  }
  return undefined
}

/** Parses a duration, as the various versions of Cassandra write it, into milliseconds: `5000`, `5000ms`, `5s`. */
export function parseTimeout(text: string): number | undefined {
  const [, number, unit = 'ms'] = /^\s*(\d+)\s*(ms|s|m|h|d)?\s*$/i.exec(text) ?? []
  return number === undefined ? undefined : Number(number) * units[unit.toLowerCase()]!
}
