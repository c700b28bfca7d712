import type { Funnel, FunnelMark, Stage } from '@hopper/contracts'
import type { Registry } from '@hopper/storage'
import type { Fault } from '../http/faults.ts'

/** A stage as it is sent: one without an id gets one. */
export type SentStage = Omit<Stage, 'id'> & { readonly id?: number | undefined }

/** Stages with their ids and numbers, the mark to keep, and what is wrong. */
export interface NumberedStages {
  readonly stages: Stage[]
  readonly highest: number
  readonly faults: readonly Fault[]
}

/**
 * Gives stages their ids and numbers. An id that was one of a stage that is gone is a fault: its events and rows would
 * become another stage's. A stage that is entered by something else than before keeps its id and gets another number,
 * under which nothing is counted yet.
 */
export function numberStages(sent: readonly SentStage[], before: readonly Stage[], mark: number): NumberedStages {
  const given = sent.flatMap(({ id }) => (id === undefined ? [] : [id]))
  const faults: Fault[] = []
  let highest = Math.max(mark, ...before.map(({ id, number = id }) => Math.max(id, number)))
  const reserved = highest
  highest = Math.max(highest, ...given)
  const stages = sent.map(({ id = ++highest, number: _, ...rest }, at): Stage => {
    const old = before.find((stage) => stage.id === id)
    if (!old) {
      const isGone = sent[at]!.id !== undefined && id <= reserved
      const message = `is ${id}, the id of a stage that was removed; without an id the stage gets one that no other has had`
      if (isGone) faults.push({ field: `stages[${at}].id`, message })
      return { id, ...rest, ...(isGone && { number: ++highest }) }
    }
    if (old.url !== rest.url || old.click !== rest.click) return { id, ...rest, number: ++highest }
    return { id, ...rest, ...(old.number !== undefined && { number: old.number }) }
  })
  return { stages, highest, faults }
}

/** What a funnel of an app has ever had. */
export async function markOf({ funnelMarks }: Registry, app: string, funnel: string): Promise<number> {
  return (await funnelMarks.get(app, funnel))?.highest ?? -1
}

/** Stores a funnel, after what keeps its ids from being used again. */
export async function putFunnel(
  { funnels, funnelMarks }: Registry,
  app: string,
  funnel: Funnel,
  highest: number,
): Promise<void> {
  await funnelMarks.put(app, funnel.id, { id: funnel.id, highest } satisfies FunnelMark)
  await funnels.put(app, funnel.id, funnel)
}
