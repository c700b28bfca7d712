import type { AlertCheck } from '@hopper/contracts'

/** Content of a notice: a title, lines of text, and the same as data for programs. */
export interface Message {
  readonly title: string
  readonly lines: readonly string[]
  readonly details: Readonly<Record<string, unknown>>
  /** path of the page of the dashboard about it, below the app */
  readonly page: string
}

/** Result of a check of a rule. */
export interface CheckResult {
  readonly check: AlertCheck
  /** one sentence for the list of alerts */
  readonly detail: string
  /** the period that was decided; missing when the rule has none, or when nothing was decided */
  readonly period?: string
  /** what to say when it fires, or that it has recovered */
  readonly message?: Message
}

/** Formats a share: 8.1 %. */
export function percentOf(share: number | null): string {
  return share === null ? 'no rate' : `${(share * 100).toFixed(1)} %`
}

/** Formats a difference of shares in percentage points: −1.6 points. */
export function pointsOf(difference: number): string {
  return `${difference < 0 ? '\u2212' : '+'}${Math.abs(difference * 100).toFixed(1)} points`
}

/** Formats a number: 1,845. */
export function countOf(n: number): string {
  return n.toLocaleString('en-US')
}
