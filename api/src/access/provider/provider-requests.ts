import type { CustomFetchOptions } from 'openid-client'

/** Time for one answer of the provider, with its body. */
const ANSWER_MS_MAX = 5_000
/** Keys and descriptions of providers have some 10 KB. */
const ANSWER_BYTES_MAX = 262_144
/** Statuses whose answers have no body. */
const EMPTY = new Set([101, 204, 205, 304])

/** The provider did not answer, or reported a failure of its own: the same login may succeed later. */
export class ProviderUnreachable extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ProviderUnreachable'
  }
}

/** The provider does not fit the settings of the operator. The message is for the log. */
export class UnusableProvider extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UnusableProvider'
  }
}

type Fetch = (url: string, options: CustomFetchOptions) => Promise<Response>

/**
 * Returns a `fetch` that calls these origins only, follows no redirect, and waits and reads within bounds.
 */
export function boundedFetch(origins: ReadonlySet<string>): Fetch {
  return async (url, options) => {
    checkAddress(url, origins)
    const late = AbortSignal.timeout(ANSWER_MS_MAX)
    const signal = options.signal ? AbortSignal.any([options.signal, late]) : late
    let answer: { readonly response: Response; readonly body: Uint8Array<ArrayBuffer> }
    try {
      const response = await fetch(url, { ...options, redirect: 'manual', signal } as RequestInit)
      answer = { response, body: await boundedBody(response) }
    } catch (cause) {
      throw cause instanceof ProviderUnreachable ? cause : new ProviderUnreachable(reasonOf(cause))
    }
    const { response, body } = answer
    if (response.status >= 500) throw new ProviderUnreachable(`status ${response.status}`)
    const { status, headers } = response
    return new Response(EMPTY.has(status) ? null : body, { status, headers })
  }
}

/** @throws UnusableProvider for an address that the settings of the operator do not allow */
export function checkAddress(url: string, origins: ReadonlySet<string>): void {
  const { origin } = new URL(url)
  if (origins.has(origin)) return
  throw new UnusableProvider(
    `the provider names an address of ${origin}, which is neither the issuer's nor one of --oidc-origins`,
  )
}

async function boundedBody(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of response.body ?? []) {
    bytes += (part as Uint8Array).length
    // leaving the loop ends the connection
    if (bytes > ANSWER_BYTES_MAX) throw new ProviderUnreachable(`an answer of more than ${ANSWER_BYTES_MAX} bytes`)
    parts.push(part as Uint8Array)
  }
  return new Uint8Array(Buffer.concat(parts))
}

/** Returns why a request failed by its code, since a message may quote a header, and thereby a token. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const { code } = (error.cause ?? {}) as { code?: unknown }
  return typeof code === 'string' ? code : error.name === 'TimeoutError' ? 'no answer in time' : error.name
}
