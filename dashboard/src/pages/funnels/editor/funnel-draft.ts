import type { Funnel, Stage } from '@hopper/contracts'
import { nameOf } from '../../connect/proposed-stages.ts'

/** A funnel in a save request: the API assigns a new id to a stage without one. */
export interface SavedFunnel extends Omit<Funnel, 'stages'> {
  readonly stages: readonly (Omit<Stage, 'id'> & { readonly id?: number })[]
}

export type EnteredBy = 'url' | 'click'

/**
 * A stage in the form, with its entry condition as a choice and a text. `id` never changes because events refer to it;
 * an id below 0 is local to the form.
 */
export interface StageDraft {
  readonly id: number
  readonly name: string
  readonly by: EnteredBy
  readonly pattern: string
  /** page that enters a stage of a click as well; the form keeps it, and does not show it */
  readonly alsoUrl?: string
}

export interface FunnelDraft {
  readonly id: string
  readonly name: string
  readonly stages: readonly StageDraft[]
}

/** Returns a stored funnel as the form edits it. */
export function draftOf({ id, name, stages }: Funnel): FunnelDraft {
  return {
    id,
    name,
    stages: stages.map((stage) => ({
      id: stage.id,
      name: stage.name,
      by: stage.click === undefined ? 'url' : 'click',
      pattern: stage.click ?? stage.url ?? '',
      ...(stage.click === undefined || stage.url === undefined ? {} : { alsoUrl: stage.url }),
    })),
  }
}

/** Returns a new funnel with the stages of another one, and without a name. */
export function copyOf(funnel: Funnel): FunnelDraft {
  const stages = draftOf(funnel).stages.map((stage, index) => ({ ...stage, id: -1 - index }))
  return { id: '', name: '', stages }
}

/**
 * Returns a new funnel of pages and clicks: patterns of paths and selectors of elements. Each is named as a stage of
 * another funnel that has it; else a page by its last part, a click by its selector.
 */
export function newDraft(patterns: readonly string[], funnels: readonly Pick<Funnel, 'stages'>[] = []): FunnelDraft {
  const empty: FunnelDraft = { id: '', name: '', stages: [] }
  return patterns.reduce((draft, pattern) => withNewStage(draft, stageWith(pattern, funnels)), empty)
}

/** Adds pages and clicks to the stages of a funnel, in front of the stage with this number, from 1. */
export function withStagesBefore(
  draft: FunnelDraft,
  number: number,
  patterns: readonly string[],
  funnels: readonly Pick<Funnel, 'stages'>[],
): FunnelDraft {
  return patterns.reduce((before, pattern, i) => {
    const added = withNewStage(before, stageWith(pattern, funnels))
    return withStageMoved(added, added.stages.at(-1)!.id, number - 1 + i - (added.stages.length - 1))
  }, draft)
}

function stageWith(pattern: string, funnels: readonly Pick<Funnel, 'stages'>[]): Omit<StageDraft, 'id'> {
  const by = /^[#.[]/.test(pattern) ? 'click' : 'url'
  const known = funnels.flatMap(({ stages }) => stages).find((stage) => stage[by] === pattern)
  const name = by === 'click' ? pattern : nameOf(pattern.replace(/\/\*$/, ''))
  return { name: known?.name ?? name, by, pattern }
}

/** Returns the funnel that the form saves, without spaces around its texts. */
export function funnelOf({ id, name, stages }: FunnelDraft): SavedFunnel {
  return { id: id.trim(), name: name.trim(), stages: stages.map(stageOf) }
}

/** Adds a stage with an id local to the form; the API assigns its permanent id. */
export function withNewStage(draft: FunnelDraft, stage: Partial<Omit<StageDraft, 'id'>> = {}): FunnelDraft {
  const id = Math.min(0, ...draft.stages.map((one) => one.id)) - 1
  return { ...draft, stages: [...draft.stages, { name: '', by: 'url', pattern: '', ...stage, id }] }
}

export function withStage(draft: FunnelDraft, id: number, change: Partial<StageDraft>): FunnelDraft {
  return { ...draft, stages: draft.stages.map((stage) => (stage.id === id ? { ...stage, ...change } : stage)) }
}

export function withoutStage(draft: FunnelDraft, id: number): FunnelDraft {
  return { ...draft, stages: draft.stages.filter((stage) => stage.id !== id) }
}

/** Moves a stage by places, as far as there are any. */
export function withStageMoved(draft: FunnelDraft, id: number, by: number): FunnelDraft {
  const index = draft.stages.findIndex((stage) => stage.id === id)
  const to = Math.max(0, Math.min(draft.stages.length - 1, index + by))
  if (index < 0 || to === index) return draft
  const stages = draft.stages.filter((stage) => stage.id !== id)
  return { ...draft, stages: [...stages.slice(0, to), draft.stages[index]!, ...stages.slice(to)] }
}

/** Returns the condition of a stage, as it is saved. */
export function conditionOf({ by, pattern, alsoUrl }: StageDraft): Pick<Stage, 'url' | 'click'> {
  const text = pattern.trim()
  if (text === '') return {}
  return by === 'url' ? { url: text } : { click: text, ...(alsoUrl === undefined ? {} : { url: alsoUrl }) }
}

function stageOf(stage: StageDraft): SavedFunnel['stages'][number] {
  return { ...(stage.id < 0 ? {} : { id: stage.id }), name: stage.name.trim(), ...conditionOf(stage) }
}
