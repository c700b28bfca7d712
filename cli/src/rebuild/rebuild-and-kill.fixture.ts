import { join } from 'node:path'
import { runAndKill } from '../testing/run-and-kill.fixture.ts'

/**
 * Rebuilds an installation in a separate process, which is killed some time after it has begun; returns whether it was
 * killed before it was done.
 */
export function rebuildAndKill(
  settings: Readonly<Record<string, string>>,
  afterMs: number,
  ...how: readonly 'in-place'[]
): Promise<boolean> {
  const script = join(import.meta.dirname, 'rebuilding-child.fixture.ts')
  return runAndKill(script, [JSON.stringify(settings), ...how], afterMs)
}
