import { HopperError } from '@hopper/contracts'
import { errors, types, type Client } from 'cassandra-driver'
import { withOverrides } from '../../with-overrides.ts'

/** From here on the codes of Cassandra say that a request itself is wrong. */
const BAD_REQUESTS_FROM = types.responseErrorCodes.syntaxError

/**
 * Whether an error of the driver says that Cassandra, not the request, is at fault: it is away, slow, overloaded, or
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
 * A client whose calls reject with HOP_STORE_UNAVAILABLE while Cassandra cannot answer, the driver's error as the
 * cause.
 */
export function tellingUnavailable(client: Client): Client {
  const told = async <T>(answer: Promise<T>): Promise<T> => {
    try {
      return await answer
    } catch (error) {
      throw isUnavailable(error)
        ? new HopperError('HOP_STORE_UNAVAILABLE', 'Cassandra does not answer.', { cause: error })
        : error
    }
  }
  return withOverrides(client, {
    execute: (...asked: Parameters<Client['execute']>) =>
      told(client.execute(...asked) as unknown as Promise<types.ResultSet>),
    batch: (...asked: Parameters<Client['batch']>) =>
      told(client.batch(...asked) as unknown as Promise<types.ResultSet>),
  } as Partial<Client>)
}
