import { type FunnelAnswer, compareProportions, type Proportion } from '@hopper/contracts'
import { formatCount, formatPercent, formatPoints } from '../../format/numbers.ts'
import type { SearchChange } from '../../state/use-search.ts'
import type { Unit } from '../../state/search.ts'
import { keyName, words } from '../../words.ts'
import { breakdownRows } from '../funnels/breakdown.ts'
import { proportionOf } from '../funnels/funnel-proportion.ts'
import { stageRows, worstStage } from '../funnels/stage-rows.ts'

/** A part of the sentence; with `search` it leads to the view of the funnel that shows it. */
export interface SentencePart {
  readonly text: string
  readonly search?: SearchChange
}

export interface SentenceData {
  readonly funnel: string
  readonly unit: Unit
  readonly answer: FunnelAnswer
  /** of the period before */
  readonly before?: FunnelAnswer
  /** the key of the breakdown of `answer` */
  readonly by: string
}

/**
 * Describes where people get lost: the rate, whether it has changed beyond chance, the stage that loses most, and the
 * value of a property with the worst rate if that is beyond chance. Empty if nobody started.
 */
export function overviewSentence({ funnel, unit, answer, before, by }: SentenceData): SentencePart[] {
  if (answer.total === 0) return []
  const w = words.overview
  const now = proportionOf(answer)
  const rows = stageRows(answer.steps)
  const worst = worstStage(rows)
  const deciding = rows.reduce((sum, row) => sum + row.deciding, 0)
  return [
    { text: w.firstPart(formatPercent(answer.overall.rate), formatCount(now.n), words.units[unit].of(now.n)) },
    { text: funnel, search: {} },
    { text: w.went },
    ...(before && before.total > 0 ? changeParts(now, proportionOf(before)) : [{ text: w.stop }]),
    ...(deciding > 0 ? [{ text: w.deciding(formatCount(deciding)) }] : []),
    ...(worst
      ? [
          { text: w.worst },
          { text: worst.name, search: { stage: worst.stage, show: 'lost' as const } },
          { text: w.worstShare(formatPercent(worst.lost / worst.before), worst.deciding > 0) },
        ]
      : []),
    ...worstValueParts(answer, by),
  ]
}

function changeParts(now: Proportion, before: Proportion): SentencePart[] {
  const w = words.overview
  const difference = now.hits / now.n - before.hits / before.n
  const points = formatPoints(Math.abs(difference)).replace(/^[+±]/, '')
  const change = difference === 0 ? w.same : difference > 0 ? w.more(points) : w.less(points)
  const verdict = compareProportions(now, before)
  const sure = verdict.is === 'few' ? w.few : w[verdict.is](zText(verdict.z))
  return [
    { text: ', ' },
    { text: change, search: { vs: 'previous' } },
    { text: `${w.before(formatPercent(before.hits / before.n))}${sure}` },
  ]
}

/** Names the worst value only if its difference is beyond chance. */
function worstValueParts({ breakdown = [] }: FunnelAnswer, by: string): SentencePart[] {
  const rows = breakdownRows(breakdown)
  const worst = rows.find(({ isWorst }) => isWorst)
  if (!worst || worst.verdict.is !== 'real' || worst.verdict.z > 0) return []
  const others = rows.filter((row) => row !== worst)
  const n = others.reduce((sum, { total }) => sum + total, 0)
  const hits = others.reduce((sum, { counts }) => sum + (counts.at(-1) ?? 0), 0)
  const w = words.overview
  return [
    { text: w.worstValue(keyName(by)) },
    { text: String(worst.value ?? words.none), search: { by } },
    { text: w.against(formatPercent(worst.rate), formatPercent(hits / n)) },
    { text: w.real(zText(worst.verdict.z)) },
  ]
}

function zText(z: number): string {
  return Math.abs(z).toFixed(1)
}
