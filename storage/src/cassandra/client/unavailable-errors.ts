import { HopperError } from '@hopper/contracts'
import { errors, types, type Client } from 'cassandra-driver'
import { withOverrides } from '../../with-overrides.ts'

/** From this code on, Cassandra's error codes mean that the request itself is wrong. */
const BAD_REQUESTS_FROM: number = types.responseErrorCodes.syntaxError

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
 * as the cause.
 */
export function withUnavailableErrors(client: Client): Client {
  const orUnavailable = async <T>(answer: Promise<T>): Promise<T> => {
    try {
      return await answer
    } catch (error) {
      throw isUnavailable(error)
        ? new HopperError('HOP_STORE_UNAVAILABLE', 'Cassandra does not answer.', { cause: error })
        : error
    }
  }
  return withOverrides(client, {
    execute: (...args: Parameters<Client['execute']>) => orUnavailable(client.execute(...args)),
    batch: (...args: Parameters<Client['batch']>) =>
      orUnavailable(client.batch(...args) as unknown as Promise<types.ResultSet>),
  } as Partial<Client>)
}
