import { hash } from 'node:crypto'

/** Returns a weak entity tag (RFC 9110), which is the same for every encoding of the same content. */
export function etagOf(content: string | Buffer): string {
  return `W/"${hash('sha256', content, 'hex').slice(0, 32)}"`
}

/** Returns whether `If-None-Match` contains this tag, so that the answer is 304. */
export function isFresh(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  const opaque = etag.replace(/^W\//, '')
  return ifNoneMatch.split(',').some((tag) => ['*', opaque].includes(tag.trim().replace(/^W\//, '')))
}
