import { setTimeout as pause } from 'node:timers/promises'
import { HopperError } from '@hopper/contracts'
import { errors, types, type ArrayOrObject, type Client, type QueryOptions } from 'cassandra-driver'
import { withOverrides } from '../../with-overrides.ts'

type Batch = Parameters<Client['batch']>[0]

/** From this code on, Cassandra's error codes mean that the request itself is wrong. */
const BAD_REQUESTS_FROM: number = types.responseErrorCodes.syntaxError
const REPEAT_PAUSE_MS = 500

/**
 * True if an error of the driver is the fault of Cassandra, not of the request: Cassandra is down, slow, overloaded, or
 * refuses us.
 */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof errors.ResponseError) return error.code < BAD_REQUESTS_FROM
  return (
    [
      errors.NoHostAvailableError,
      errors.OperationTimedOutError,
      errors.BusyConnectionError,
      errors.AuthenticationError,
    ].some((kind) => error instanceof kind) || (error as { isSocketError?: boolean } | null)?.isSocketError === true
  )
}

/**
 * Wraps a client so that calls reject with HOP_STORE_UNAVAILABLE while Cassandra cannot answer, with the driver's error
 * as the cause. Reads are repeated for `readRepeatMs` before that. A write is not, even an idempotent one: its sender
 * has checked a lease, which may have another owner by then.
 */
export function withUnavailableErrors(client: Client, readRepeatMs = 0): Client {
  const answered = async <T>(send: () => Promise<T>, repeatMs = 0): Promise<T> => {
    const repeatedUntil = performance.now() + repeatMs
    for (;;) {
      try {
        return await send()
      } catch (error) {
        if (!isUnavailable(error)) throw error
        if (repeatMs === 0 || performance.now() >= repeatedUntil)
          throw new HopperError('HOP_STORE_UNAVAILABLE', 'Cassandra does not answer.', { cause: error })
      }
      await pause(REPEAT_PAUSE_MS)
    }
  }
  return withOverrides(client, {
    execute: (query: string, parameters?: ArrayOrObject, options?: QueryOptions) =>
      answered(() => client.execute(query, parameters, options), /^\s*SELECT\b/i.test(query) ? readRepeatMs : 0),
    batch: (queries: Batch, options?: QueryOptions) => answered(() => client.batch(queries, options)),
  } as Partial<Client>)
}
