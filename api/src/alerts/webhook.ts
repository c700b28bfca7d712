import { createHmac } from 'node:crypto'
import { request as requestHttp, type RequestOptions } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { DeliveryFault } from '@hopper/contracts'
import { PrivateAddressError, allowedUrl, isPublicHost, publicLookup } from './webhook-address.ts'

/** Time that a receiver has to answer. */
export const WEBHOOK_MS_MAX = 10_000
const GONE = 410

/** Outcome of one attempt on a channel. */
export type Outcome =
  | { readonly isDelivered: true; readonly status?: number; readonly fault?: DeliveryFault }
  | {
      readonly isDelivered: false
      readonly fault: DeliveryFault
      readonly status?: number
      /** true if another attempt would end the same way */
      readonly isFinal?: boolean
    }

export interface WebhookMessage {
  /** the same for every attempt */
  readonly id: string
  /** JSON */
  readonly body: string
  /** ms since the epoch */
  readonly at: number
}

export interface WebhookRules {
  readonly webhookOrigins: readonly string[]
  readonly arePrivateAddressesAllowed: boolean
}

/** The text of a secret as the libraries of Standard Webhooks take it. */
export function webhookSecretText(secret: Uint8Array): string {
  return `whsec_${Buffer.from(secret).toString('base64')}`
}

/** Signs a message as Standard Webhooks 1.0 describes: HMAC-SHA256 of id, seconds and body. */
export function webhookHeaders({ id, body, at }: WebhookMessage, secret: Uint8Array): Record<string, string> {
  const seconds = String(Math.floor(at / 1_000))
  const signature = createHmac('sha256', secret).update(`${id}.${seconds}.${body}`).digest('base64')
  return { 'webhook-id': id, 'webhook-timestamp': seconds, 'webhook-signature': `v1,${signature}` }
}

/**
 * Sends a message to a URL that the operator allows. Follows no redirect, sends no cookie, reads no body, uses no
 * proxy, and ends with the signal, by default after 10 s.
 */
export async function sendWebhook(
  target: string,
  message: WebhookMessage,
  secret: Uint8Array,
  rules: WebhookRules,
  signal = AbortSignal.timeout(WEBHOOK_MS_MAX),
): Promise<Outcome> {
  const url = allowedUrl(target, rules.webhookOrigins)
  if (!url) return { isDelivered: false, fault: 'address_not_allowed', isFinal: true }
  const isPublicOnly = !rules.arePrivateAddressesAllowed
  if (isPublicOnly && !isPublicHost(url)) return { isDelivered: false, fault: 'private_address', isFinal: true }
  try {
    return outcomeOf(
      await statusOf(url, message.body, {
        method: 'POST',
        agent: false,
        signal,
        ...(isPublicOnly ? { lookup: publicLookup } : {}),
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(message.body),
          'user-agent': 'Hopper-Webhooks',
          ...webhookHeaders(message, secret),
        },
      }),
    )
  } catch (error) {
    return faultOf(error)
  }
}

/** Resolves with the status; the rest of the answer is not read. */
function statusOf(url: URL, body: string, options: RequestOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, options, (response) => {
      resolve(response.statusCode ?? 0)
      response.on('error', () => undefined)
      request.destroy()
    })
    request.on('error', reject)
    // an answer that switches the protocol ends the connection without an error
    request.on('close', () => reject(new Error('the connection was closed without an answer')))
    request.end(body)
  })
}

function outcomeOf(status: number): Outcome {
  if (status >= 200 && status < 300) return { isDelivered: true, status }
  if (status >= 300 && status < 400) return { isDelivered: false, fault: 'redirect', status, isFinal: true }
  if (status === GONE) return { isDelivered: false, fault: 'gone', status, isFinal: true }
  return { isDelivered: false, fault: 'status', status }
}

function faultOf(error: unknown): Outcome {
  const { name, code, cause } = error as NodeJS.ErrnoException & { cause?: unknown }
  if (error instanceof PrivateAddressError || cause instanceof PrivateAddressError)
    return { isDelivered: false, fault: 'private_address', isFinal: true }
  if (name === 'AbortError' || name === 'TimeoutError') return { isDelivered: false, fault: 'timeout' }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return { isDelivered: false, fault: 'unknown_host' }
  return { isDelivered: false, fault: 'connection' }
}
