import { policies } from 'cassandra-driver'

type Decision = policies.retry.DecisionInfo
type OperationInfo = Parameters<policies.retry.RetryPolicy['onRequestError']>[0]

const RETRIES_MAX = 2

/**
 * Retries idempotent requests on another node after a failure or a timeout; everything else fails immediately. A
 * counter write is never retried, because it may have been applied. Only the statement knows whether it is idempotent,
 * so a statement without that flag is not retried.
 */
export class RetryIdempotent extends policies.retry.FallthroughRetryPolicy {
  override onRequestError(info: OperationInfo): Decision {
    return this.#retryOrFail(info)
  }

  override onReadTimeout(info: OperationInfo): Decision {
    return this.#retryOrFail(info)
  }

  override onUnavailable(info: OperationInfo): Decision {
    return this.#retryOrFail(info)
  }

  #retryOrFail(info: OperationInfo): Decision {
    const mayRepeat = info.executionOptions.isIdempotent() === true && info.nbRetry < RETRIES_MAX
    // Without a consistency the driver uses that of the request, although its types require one.
    return mayRepeat ? this.retryResult(undefined as never, false) : this.rethrowResult()
  }
}
