import { isOtherSite } from '../batch/arrival.ts'
import type { Supplement } from '../batch/incoming.ts'
import { defined, idText, textOf } from './json-values.ts'

/** What a client of another product states of the visit that an event belongs to; any value may be of a wrong type. */
export interface StatedVisit {
  readonly userAgent: unknown
  readonly referrer: unknown
  /** address of the page on which the event happened */
  readonly page: unknown
  /** campaign; names begin with `utm_` */
  readonly utm: Readonly<Record<string, unknown>>
}

/** Returns what of a visit can be used; undefined when nothing can. A page of the same site is no referrer. */
export function visitOf({ userAgent, referrer, page, utm }: StatedVisit): Supplement | undefined {
  const from = textOf(referrer)
  const campaign = defined(
    Object.fromEntries(Object.entries(utm).map(([name, value]) => [name, idText(value)] as const)),
  )
  const visit = defined({
    userAgent: textOf(userAgent),
    referrer: from !== undefined && isOtherSite(from, textOf(page) ?? '') ? from : undefined,
    utm: Object.keys(campaign).length > 0 ? campaign : undefined,
  })
  return Object.keys(visit).length > 0 ? visit : undefined
}
