import type { Funnel, Stage } from '@hopper/contracts'

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
}

export interface FunnelDraft {
  readonly id: string
  readonly name: string
  readonly stages: readonly StageDraft[]
}

export function draftOf({ id, name, stages }: Funnel): FunnelDraft {
  return {
    id,
    name,
    stages: stages.map((stage) => ({
      id: stage.id,
      name: stage.name,
      by: stage.click === undefined ? 'url' : 'click',
      pattern: stage.click ?? stage.url ?? '',
    })),
  }
}

export function funnelOf({ id, name, stages }: FunnelDraft): SavedFunnel {
  return { id: id.trim(), name: name.trim(), stages: stages.map(stageOf) }
}

/** Adds a stage with an id local to the form; the API assigns its permanent id. */
export function withNewStage(draft: FunnelDraft): FunnelDraft {
  const id = Math.min(0, ...draft.stages.map((stage) => stage.id)) - 1
  return { ...draft, stages: [...draft.stages, { id, name: '', by: 'url', pattern: '' }] }
}

export function withStage(draft: FunnelDraft, id: number, change: Partial<StageDraft>): FunnelDraft {
  return { ...draft, stages: draft.stages.map((stage) => (stage.id === id ? { ...stage, ...change } : stage)) }
}

export function withoutStage(draft: FunnelDraft, id: number): FunnelDraft {
  return { ...draft, stages: draft.stages.filter((stage) => stage.id !== id) }
}

/** Moves a stage one place up. */
export function withStageEarlier(draft: FunnelDraft, id: number): FunnelDraft {
  const at = draft.stages.findIndex((stage) => stage.id === id)
  if (at <= 0) return draft
  return {
    ...draft,
    stages: [...draft.stages.slice(0, at - 1), draft.stages[at]!, draft.stages[at - 1]!, ...draft.stages.slice(at + 1)],
  }
}

function stageOf({ id, name, by, pattern }: StageDraft): SavedFunnel['stages'][number] {
  const text = pattern.trim()
  return {
    ...(id < 0 ? {} : { id }),
    name: name.trim(),
    ...(text === '' ? {} : by === 'url' ? { url: text } : { click: text }),
  }
}
