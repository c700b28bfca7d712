import { policies } from 'cassandra-driver'

type Decision = policies.retry.DecisionInfo
type OperationInfo = Parameters<policies.retry.RetryPolicy['onRequestError']>[0]

const RETRIES_MAX = 2

/**
 * Sends what may be sent twice to another node when one fails or has no answer; everything else fails at once. A
 * counter write is never sent again: it may have been applied. Only the statement knows which it is, so a statement
 * that does not say counts as one that must not be repeated.
 */
export class RetryIdempotent extends policies.retry.FallthroughRetryPolicy {
  override onRequestError(info: OperationInfo): Decision {
    return this.#again(info)
  }

  override onReadTimeout(info: OperationInfo): Decision {
    return this.#again(info)
  }

  override onUnavailable(info: OperationInfo): Decision {
    return this.#again(info)
  }

  #again(info: OperationInfo): Decision {
    const mayRepeat = info.executionOptions.isIdempotent() === true && info.nbRetry < RETRIES_MAX
    // The driver takes no consistency for the one that was asked; its types do not know.
    return mayRepeat ? this.retryResult(undefined as never, false) : this.rethrowResult()
  }
}
