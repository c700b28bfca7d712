import { expect, it } from 'vitest'
import { attack, quantile } from './hostile.ts'

/**
 * Generous, because other programs run too. The test proves that nobody waits for the hostile queries, which take their
 * whole 30 s.
 */
const BOUND_MS = 10_000

it(
  'hostile queries are refused or bounded, while ingest and queries of other apps and of the same app continue',
  { timeout: 300_000 },
  async () => {
    const { attacked, running, refusals, pattern } = await attack(5_000)
    expect(running).toBeGreaterThanOrEqual(2)
    for (const { name, status, code, ms } of refusals) {
      const refusal = /^(400 HOP_(PARAM_INVALID|LIMIT|RANGE_INVALID)|413 HOP_BODY_TOO_LARGE)$/
      expect([name, `${status} ${code}`]).toEqual([name, expect.stringMatching(refusal)])
      expect(ms).toBeLessThan(BOUND_MS)
    }
    expect([200, 503]).toContain(pattern.status)
    if (pattern.status === 503) expect(pattern.code).toBe('HOP_QUERY_TIMEOUT')
    for (const kind of ['ingest', 'others', 'own'] as const) {
      expect([kind, attacked[kind].length]).not.toEqual([kind, 0])
      expect([kind, quantile(attacked[kind], 1) < BOUND_MS]).toEqual([kind, true])
    }
  },
)
