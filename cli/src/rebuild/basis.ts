import { createHash } from 'node:crypto'
import { stagesDefinition } from '@hopper/contracts'
import type { Registry } from '@hopper/storage'
import { version } from '../version.ts'

/**
 * Identifies everything besides the log that the tables depend on: this version, the apps' settings, the meaning of
 * their stages, and the forgotten data.
 */
export async function basisOf(registry: Registry): Promise<string> {
  const apps = [...(await registry.apps.list())].sort((a, b) => (a.id < b.id ? -1 : 1))
  const funnels = await Promise.all(
    apps.map(async ({ id }) =>
      (await registry.funnels.list(id)).map((funnel) => [funnel.id, stagesDefinition(funnel.stages)]).sort(),
    ),
  )
  const forgotten = (await registry.forgetParts.list())
    .map(({ forget, lane, mark }) => [forget, lane, mark ?? -1])
    .sort()
  return createHash('sha256')
    .update(JSON.stringify([version, apps, funnels, forgotten]))
    .digest('hex')
}
