import { hash } from 'node:crypto'

/** A weak entity tag (RFC 9110): the same for every encoding of the same content. */
export function etagOf(content: string | Buffer): string {
  return `W/"${hash('sha256', content, 'hex').slice(0, 32)}"`
}

/** Whether `If-None-Match` names this tag, so that 304 is the answer. */
export function isFresh(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  const opaque = etag.replace(/^W\//, '')
  return ifNoneMatch.split(',').some((tag) => ['*', opaque].includes(tag.trim().replace(/^W\//, '')))
}
