import type { FastifyRequest } from 'fastify'

/**
 * Returns the host, with a port that is not standard, of the page that made a request. Browsers name it in `Origin`, or
 * in `Referer` where they send no origin: in GET requests to the page's own host. Undefined when there is neither.
 */
export function hostOfPage({ headers }: FastifyRequest): string | undefined {
  const page = headers.origin ?? headers.referer
  return page === undefined ? undefined : URL.parse(page)?.host || undefined
}
