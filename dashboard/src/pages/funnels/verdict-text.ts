import type { Verdict } from '@hopper/contracts'
import { words } from '../../words.ts'

/** Describes in words whether a difference is beyond chance. */
export function verdictText(verdict: Verdict): string {
  if (verdict.is === 'few') return words.funnels.few
  const z = words.funnels.z(verdict.z.toFixed(1).replace('-', '−'))
  return `${verdict.is === 'real' ? words.funnels.real : words.funnels.chance} (${z})`
}
