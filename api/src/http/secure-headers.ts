import type { FastifyReply } from 'fastify'

/**
 * The dashboard runs its own files and nothing else. Style attributes are allowed because charts position their
 * tooltips with them; style sheets and scripts come from files.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "style-src-attr 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')
/** Swagger's page has an inline style sheet. */
const DOCS_POLICY = POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")

const headers = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  // do not leak the token of a login link to other pages
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
} as const

const OURS = new RegExp(
  '^/(api/|docs(/|$)|openapi\\.json$|schemas/|login(/oidc(/callback)?)?$|embed/|mcp$|query$|events$|eventstream$|' +
    'database_events$|session/)',
)

/** Returns whether the API serves a path; in standalone the same server also hosts ingest and the demo shop. */
export function isApiPath(url: string): boolean {
  return OURS.test(url.split('?', 1)[0]!)
}

/** Allows these sites, whose origins are checked when they are stored, to show an answer in a frame. */
export function allowFrames(reply: FastifyReply, origins: readonly string[]): void {
  if (origins.length === 0) return
  const policy = POLICY.replace("frame-ancestors 'none'", `frame-ancestors ${origins.join(' ')}`)
  void reply.removeHeader('x-frame-options').header('content-security-policy', policy)
}

/** Sets the security headers; `docs` also allows the inline styles of Swagger's page. */
export function secureHeaders(reply: FastifyReply, docs = false): void {
  void reply.headers({ ...headers, 'content-security-policy': docs ? DOCS_POLICY : POLICY })
}
