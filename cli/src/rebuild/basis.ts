import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Registry } from '@hopper/storage'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }

/** Names all that the tables depend on besides the log: this version and the apps' settings. */
export async function basisOf(registry: Registry): Promise<string> {
  const apps = [...(await registry.apps.list())].sort((a, b) => (a.id < b.id ? -1 : 1))
  return createHash('sha256').update(JSON.stringify([version, apps])).digest('hex')
}
