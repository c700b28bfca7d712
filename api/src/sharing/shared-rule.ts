import { isDeepStrictEqual } from 'node:util'
import { HopperError, type Filter, type SharedPage } from '@hopper/contracts'
import type { SharedScope } from './shared-scope.ts'

/** The validated parts of a request. */
export interface Question {
  readonly query: unknown
  readonly body: unknown
}

/**
 * The questions of readers of a shared link that a call answers, declared beside it. A call without a rule is refused.
 * The query is built from the view alone; the fields of the request may only repeat values of the view.
 */
export interface SharedRule {
  /** pages whose view asks this call */
  readonly pages: readonly SharedPage[]
  /**
   * Returns the question to answer.
   * @throws HopperError HOP_SHARED_VIEW for a question that is not one of the view
   */
  ask(scope: SharedScope, sent: Question): Question
  /** the part of the answer that belongs to the view; default: all of it */
  readonly answer?: (scope: SharedScope, answer: never) => unknown
}

type Fields = Readonly<Record<string, unknown>>

/**
 * Checks that each field that was sent has one of the values of the view. `from` and `to` are a range of the view.
 * @throws HopperError HOP_SHARED_VIEW
 */
export function checkFields({ ranges }: SharedScope, sent: Fields, values: Readonly<Record<string, unknown[]>>): void {
  for (const [field, value] of Object.entries(sent)) {
    if (field === 'from' || field === 'to' || value === undefined) continue
    const allowed = Object.hasOwn(values, field) ? values[field]! : []
    if (!allowed.some((one) => isDeepStrictEqual(one, value))) throw outsideView(field)
  }
  if (!ranges.some(({ from, to }) => from === sent['from'] && to === sent['to'])) throw outsideView('from')
}

/** @throws HopperError HOP_SHARED_VIEW for filters other than the locked ones, in any order */
export function checkFilters({ filters }: SharedScope, sent: unknown): void {
  checkConditions('filters', filters, sent)
}

/** @throws HopperError HOP_SHARED_VIEW for conditions other than these, in any order */
export function checkConditions(field: string, filters: readonly Filter[], sent: unknown): void {
  if (sent === undefined) return
  const isAmong = (list: readonly unknown[], one: unknown): boolean => list.some((each) => isDeepStrictEqual(each, one))
  const isSame =
    Array.isArray(sent) &&
    sent.length === filters.length &&
    sent.every((one) => isAmong(filters, one)) &&
    filters.every((one) => isAmong(sent, one))
  if (!isSame) throw outsideView(field)
}

/** Returns the error for a field with a value that a shared link does not include. */
export function outsideView(field: string): HopperError {
  return new HopperError('HOP_SHARED_VIEW', `\`${field}\` is not part of the view.`, {
    details: { fields: [{ field, message: 'is not part of the view' }] },
  })
}
