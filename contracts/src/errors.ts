/** The policy of an error code: its status, whether to retry, and what to do. Callers need not parse messages. */
export interface ErrorPolicy {
  readonly status: number
  readonly retryable: boolean
  /** one sentence that tells the caller what to do */
  readonly hint: string
  /**
   * true if the hint is appended to every message of this code; otherwise a specific message replaces it and must
   * itself say what to do
   */
  readonly follows?: boolean
}

/** The closed catalogue of errors. A test compares its codes with `docs/errors.md` both ways. */
export const errorCatalogue = {
  HOP_BODY_INVALID: { status: 400, retryable: false, hint: 'Send UTF-8 JSON of the documented shape.', follows: true },
  HOP_BODY_TOO_LARGE: {
    status: 413,
    retryable: false,
    hint: 'Send less: at most 1 MB and 1,000 events a request; calls that take no events, at most 64 KB.',
    follows: true,
  },
  HOP_REQUEST_INVALID: {
    status: 400,
    retryable: false,
    hint: 'The HTTP request cannot be parsed; check its URL and headers.',
  },
  HOP_REQUEST_TIMEOUT: {
    status: 408,
    retryable: true,
    hint: 'The request did not arrive in time; send it again in one piece.',
  },
  HOP_URL_TOO_LONG: {
    status: 414,
    retryable: false,
    hint: 'The URL, or a part of it, is too long; send long values in the body.',
  },
  HOP_EXPECTATION: { status: 417, retryable: false, hint: 'The Expect header must be 100-continue; leave it out.' },
  HOP_HEADERS_TOO_LARGE: {
    status: 431,
    retryable: false,
    hint: 'The headers are larger than 16 kB; send fewer cookies or shorter values.',
  },
  HOP_NOT_ACCEPTABLE: {
    status: 406,
    retryable: false,
    hint: 'This call supports none of the types in the Accept header; ask for application/json.',
  },
  HOP_BODY_TYPE: { status: 415, retryable: false, hint: 'Send application/json, or text/plain with JSON in it.' },
  HOP_KEY_MISSING: {
    status: 401,
    retryable: false,
    hint: 'Send "Authorization: Bearer KEY", the header X-Api-Key, or for a write key ?key=KEY.',
  },
  HOP_KEY_IN_ADDRESS: {
    status: 401,
    retryable: false,
    hint: 'Send a read or admin key in a header, never in the address: only write keys are public. Replace this one.',
  },
  HOP_KEY_UNKNOWN: {
    status: 401,
    retryable: false,
    hint: 'The key is unknown; look it up on the settings page of the app.',
  },
  HOP_KEY_POWER: {
    status: 403,
    retryable: false,
    hint: 'This key cannot make this call: write keys send events, read keys read their app, admin keys manage it.',
  },
  HOP_ROLE: {
    status: 403,
    retryable: false,
    hint: 'Your role does not allow this; ask an owner or admin of the organization.',
  },
  HOP_ORIGIN: {
    status: 403,
    retryable: false,
    hint: 'This origin is not in the list of the app; add it to "origins".',
    follows: true,
  },
  HOP_TOKEN: {
    status: 403,
    retryable: false,
    hint: 'The token is not valid, or no longer: get another one (see details.reason).',
    follows: true,
  },
  HOP_LOGIN_FAILED: { status: 401, retryable: false, hint: 'Check name and password, or use a fresh login link.' },
  HOP_SECOND_FACTOR: {
    status: 401,
    retryable: false,
    hint: 'Send the current code of your authenticator, or a recovery code, as "code".',
    follows: true,
  },
  HOP_PROVIDER_UNAVAILABLE: {
    status: 503,
    retryable: true,
    hint: 'The OpenID provider does not answer; try again shortly, or log in by password or login link.',
  },
  HOP_PASSWORD_REQUIRED: {
    status: 403,
    retryable: false,
    hint: 'Choose a password first: PATCH /api/v1/members/me with "password".',
  },
  HOP_LOGIN_REQUIRED: { status: 401, retryable: false, hint: 'Log in, or send a read key.' },
  HOP_SHARED_LINK: {
    status: 401,
    retryable: false,
    hint: 'The shared link is wrong, or has ended; ask the person who sent it for another one.',
  },
  HOP_SHARED_PASSWORD: {
    status: 401,
    retryable: false,
    hint: 'Send the password of the shared link as "password".',
    follows: true,
  },
  HOP_SHARED_VIEW: {
    status: 403,
    retryable: false,
    hint: 'A shared link only answers the questions of its view; log in for others.',
    follows: true,
  },
  HOP_FOREIGN_ORIGIN: {
    status: 403,
    retryable: false,
    hint: 'A page of another origin cannot make this call; use a program, or the address of --public-url.',
  },
  HOP_CSRF: {
    status: 403,
    retryable: false,
    hint: 'Send the header X-Hopper-Csrf with the value of the cookie hopper_csrf.',
  },
  HOP_RATE: {
    status: 429,
    retryable: true,
    hint: 'Wait for the seconds in Retry-After, then try again.',
    follows: true,
  },
  HOP_QUOTA: {
    status: 429,
    retryable: true,
    hint: 'Send again after Retry-After; an admin raises quota_bytes of the app, or lowers its retention_days.',
    follows: true,
  },
  HOP_LOG_UNAVAILABLE: {
    status: 503,
    retryable: true,
    hint: 'The events cannot be stored durably now; send them again after Retry-After.',
    follows: true,
  },
  HOP_STORE_UNAVAILABLE: {
    status: 503,
    retryable: true,
    hint: 'The tables cannot be read now; try again shortly.',
    follows: true,
  },
  HOP_NOT_FOUND: { status: 404, retryable: false, hint: 'No such path; GET /docs lists the calls.' },
  HOP_NOT_SUPPORTED: {
    status: 404,
    retryable: false,
    hint: 'Hopper does not have this call of another product; docs/clients.md lists what it has.',
    follows: true,
  },
  HOP_METHOD: {
    status: 405,
    retryable: false,
    hint: 'This path does not support that method; GET /docs lists the calls.',
  },
  HOP_APP_UNKNOWN: { status: 404, retryable: false, hint: 'No such app for this key; GET /api/v1/apps lists them.' },
  HOP_FUNNEL_UNKNOWN: {
    status: 404,
    retryable: false,
    hint: 'No such funnel in this app; GET /api/v1/apps/APP/funnels lists them.',
  },
  HOP_ELEMENT_UNKNOWN: {
    status: 404,
    retryable: false,
    hint: 'No such element in this app; GET /api/v1/apps/APP/elements lists them.',
  },
  HOP_ALERT_UNKNOWN: {
    status: 404,
    retryable: false,
    hint: 'No such alert in this app; GET /api/v1/apps/APP/alerts lists them.',
  },
  HOP_RANGE_INVALID: {
    status: 400,
    retryable: false,
    hint: 'from and to are dates from 1970-01-01 to 9998-12-31, from not after to, at most 1,100 days.',
  },
  HOP_PARAM_INVALID: { status: 400, retryable: false, hint: 'Correct the parameters that details names.' },
  HOP_CONFLICT: { status: 409, retryable: false, hint: 'This id exists already; use PATCH to change it.' },
  HOP_AUDIT_RUNNING: {
    status: 409,
    retryable: false,
    hint: 'One audit runs at a time, and details.audit is running; GET /api/v1/audits tells when it is done.',
  },
  HOP_LIMIT: { status: 400, retryable: false, hint: 'This exceeds a limit of this installation; details names it.' },
  HOP_QUERY_TIMEOUT: {
    status: 503,
    retryable: false,
    hint: 'The query took longer than its time limit; narrow the range or the filters.',
  },
  HOP_SHARE: {
    status: 429,
    retryable: true,
    hint: 'This key, member, app or address has used up its share (see details.limit); try again after Retry-After.',
    follows: true,
  },
  HOP_SLOW_READER: {
    status: 503,
    retryable: true,
    hint: 'The client read less than 64 KB in a minute; read faster, or ask for a shorter range.',
  },
  HOP_EVENTS_GONE: {
    status: 410,
    retryable: false,
    follows: true,
    hint: 'Read the gap by GET /events, or the events of the app, and follow from the cursor of the last page.',
  },
  HOP_QUERY_BUSY: {
    status: 503,
    retryable: true,
    hint: 'All places are taken (see details.limit); try again after Retry-After.',
    follows: true,
  },
  HOP_CONFIG: {
    status: 500,
    retryable: false,
    hint: 'Correct what the message names: a setting (docs/settings.md), an argument or a file.',
    follows: true,
  },
  HOP_DATA_DAMAGED: {
    status: 500,
    retryable: false,
    follows: true,
    hint:
      'Restore what the message names from a backup, or start once with --accept-loss, ' +
      'which records what is lost; see docs/operating.md.',
  },
  HOP_INTERNAL: {
    status: 500,
    retryable: true,
    hint: 'Hopper failed internally; the log has the cause under this request id.',
    follows: true,
  },
} as const satisfies Record<string, ErrorPolicy>
export type ErrorCode = keyof typeof errorCatalogue

/** The body of every error response. */
export interface ErrorBody {
  readonly error: { readonly code: ErrorCode; readonly message: string; readonly details?: unknown }
}

/** An error with a code from the catalogue. The message is for the caller, the cause for the log. */
export class HopperError extends Error {
  readonly code: ErrorCode
  readonly details?: unknown

  constructor(code: ErrorCode, message?: string, options: { details?: unknown; cause?: unknown } = {}) {
    super(textOf(code, message), options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'HopperError'
    this.code = code
    if (options.details !== undefined) this.details = options.details
  }

  get status(): number {
    return errorCatalogue[this.code].status
  }

  get retryable(): boolean {
    return errorCatalogue[this.code].retryable
  }

  toBody(): ErrorBody {
    return {
      error: {
        code: this.code,
        message: this.message,
        ...(this.details === undefined ? {} : { details: this.details }),
      },
    }
  }
}

function textOf(code: ErrorCode, message: string | undefined): string {
  const { hint, follows }: ErrorPolicy = errorCatalogue[code]
  if (!message) return hint
  return follows ? `${message} ${hint}` : message
}

/** Makes a switch over a closed union exhaustive: a missing case fails to compile. */
export function assertNever(value: never): never {
  throw new HopperError('HOP_INTERNAL', `Unexpected value ${JSON.stringify(value)}.`)
}
