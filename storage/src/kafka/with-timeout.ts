import { HopperError } from '@hopper/contracts'

/**
 * Returns the value of a promise.
 * @throws HopperError HOP_LOG_UNAVAILABLE when the promise does not settle within `ms`
 */
export async function withTimeout<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new HopperError('HOP_LOG_UNAVAILABLE', 'Kafka did not answer in time.')),
      Math.max(ms, 1),
    )
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Wraps an error of kafkajs in a HopperError; returns a HopperError unchanged. */
export function unavailable(cause: unknown): HopperError {
  return cause instanceof HopperError
    ? cause
    : new HopperError('HOP_LOG_UNAVAILABLE', 'Kafka is not available.', { cause })
}
