import { isDeepStrictEqual } from 'node:util'
import { backfillId, uncounted } from '@hopper/contracts'
import type { Registry } from './ports/registry.ts'

/**
 * Lets stages be known beside, where a log is counted again, from the positions on at which readers' tables have them.
 * What an earlier attempt has counted with the same groups of stages stays.
 */
export async function copyBackfills(readers: Registry, staged: Registry['backfills']): Promise<void> {
  for (const { id } of await readers.apps.list()) {
    const counted = new Map((await staged.list(id)).map((each) => [backfillId(each), each]))
    for (const each of await readers.backfills.list(id)) {
      const own = counted.get(backfillId(each))
      if (isDeepStrictEqual(own?.groups, each.groups)) continue
      await staged.put(id, backfillId(each), uncounted(each))
    }
  }
}
