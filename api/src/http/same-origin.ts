import { HopperError } from '@hopper/contracts'
import type { FastifyRequest } from 'fastify'

/**
 * Refuses a page of another site, which could otherwise log its visitors in as somebody else.
 * @throws HopperError HOP_FOREIGN_ORIGIN
 */
export function checkSameOrigin({ headers }: FastifyRequest): void {
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') throw new HopperError('HOP_FOREIGN_ORIGIN')
}
