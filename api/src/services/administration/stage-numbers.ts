import type { Funnel, FunnelMark, Stage } from '@hopper/contracts'
import type { Registry } from '@hopper/storage'
import type { Fault } from '../../http/faults.ts'

/** A stage in a request; one without an id gets a new id. */
export type StageInput = Omit<Stage, 'id'> & { readonly id?: number | undefined }

/** Stages with their ids and numbers, the highest id to record, and the faults. */
export interface NumberedStages {
  readonly stages: Stage[]
  readonly highest: number
  readonly faults: readonly Fault[]
}

/**
 * Assigns ids and numbers to stages. The id of a removed stage is a fault, since its events and rows would become those
 * of another stage. A stage whose entry condition changes keeps its id and gets a new number, for which nothing is
 * counted yet.
 */
export function numberStages(sent: readonly StageInput[], before: readonly Stage[], mark: number): NumberedStages {
  const given = sent.flatMap(({ id }) => (id === undefined ? [] : [id]))
  const faults: Fault[] = []
  let highest = Math.max(mark, ...before.map(({ id, number = id }) => Math.max(id, number)))
  const reserved = highest
  highest = Math.max(highest, ...given)
  const stages = sent.map(({ id = ++highest, number: _, ...rest }, index): Stage => {
    const old = before.find((stage) => stage.id === id)
    if (!old) {
      const isGone = sent[index]!.id !== undefined && id <= reserved
      const message = `is ${id}, the id of a removed stage; without an id the stage gets an id that was never used`
      if (isGone) faults.push({ field: `stages[${index}].id`, message })
      return { id, ...rest, ...(isGone && { number: ++highest }) }
    }
    if (old.url !== rest.url || old.click !== rest.click) return { id, ...rest, number: ++highest }
    return { id, ...rest, ...(old.number !== undefined && { number: old.number }) }
  })
  return { stages, highest, faults }
}

/** Returns the highest id that a funnel has ever had; -1 if none. */
export async function markOf({ funnelMarks }: Registry, app: string, funnel: string): Promise<number> {
  return (await funnelMarks.get(app, funnel))?.highest ?? -1
}

/** Stores a funnel, after the mark that prevents its ids from being reused. Keeps a known time of creation. */
export async function putFunnel(
  { funnels, funnelMarks }: Registry,
  app: string,
  funnel: Funnel,
  { highest, created_at }: Omit<FunnelMark, 'id'>,
): Promise<void> {
  const createdAt = (await funnelMarks.get(app, funnel.id))?.created_at ?? created_at
  const mark: FunnelMark = { id: funnel.id, highest, ...(createdAt === undefined ? {} : { created_at: createdAt }) }
  await funnelMarks.put(app, funnel.id, mark)
  await funnels.put(app, funnel.id, funnel)
}
