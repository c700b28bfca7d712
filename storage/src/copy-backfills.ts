import { isDeepStrictEqual } from 'node:util'
import { backfillId, resetBackfill } from '@hopper/contracts'
import type { Registry } from './ports/registry.ts'

/**
 * Copies the readers' backfill records to a staged registry while a log is counted again beside it. So stages become
 * known at the same positions as in the readers' tables. Keeps the counts of an earlier attempt with the same groups of
 * stages.
 */
export async function copyBackfills(readers: Registry, staged: Registry['backfills']): Promise<void> {
  for (const { id } of await readers.apps.list()) {
    const counted = new Map((await staged.list(id)).map((each) => [backfillId(each), each]))
    for (const each of await readers.backfills.list(id)) {
      const existing = counted.get(backfillId(each))
      if (isDeepStrictEqual(existing?.groups, each.groups)) continue
      await staged.put(id, backfillId(each), resetBackfill(each))
    }
  }
}
