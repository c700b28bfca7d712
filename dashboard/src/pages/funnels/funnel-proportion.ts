import type { FunnelAnswer, Proportion } from '@hopper/contracts'

/** Returns how many of those who started a funnel took its last step. */
export function proportionOf({ total, steps }: Pick<FunnelAnswer, 'total' | 'steps'>): Proportion {
  return { hits: steps.at(-1)?.count ?? 0, n: total }
}
