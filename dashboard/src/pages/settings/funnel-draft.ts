import type { Funnel, Stage } from '@hopper/contracts'

/** A funnel as it is saved: a stage without an id gets one that no stage has had. */
export interface SavedFunnel extends Omit<Funnel, 'stages'> {
  readonly stages: readonly (Omit<Stage, 'id'> & { readonly id?: number })[]
}

export type EnteredBy = 'url' | 'click'

/**
 * A stage in a form: what it is entered by is a choice and a text. `id` never changes, since events name it; below 0,
 * it is the form's own.
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

/** A new stage is told from the others by an id of the form; the API gives it one for ever. */
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

/** The stage one place earlier. */
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
