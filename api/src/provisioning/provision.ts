import { Provision, trimNames, xpathsOf, type App, type Element, type KeyScope } from '@hopper/contracts'
import type { Registry } from '@hopper/storage'
import { keyRecord, newKey } from '../access/secret.ts'
import { keptParameters } from '../services/administration/check-stages.ts'
import { markOf, numberStages, putFunnel } from '../services/administration/stage-numbers.ts'
import { checkProvision } from './check-provision.ts'

type OrganizationEntry = Provision['organizations'][number]
type AppEntry = NonNullable<OrganizationEntry['apps']>[number]

/** A generated key, shown only once. */
export interface CreatedKey {
  readonly power: KeyScope
  readonly organization: string
  readonly app?: string
  readonly key: string
}

/**
 * Creates or updates what the file names and touches nothing else; applying it again changes nothing. A key is
 * generated if the file provides none and the app (or organization) has none of that scope.
 * @throws HopperError HOP_CONFIG with every fault, before anything is written
 */
export async function provision(
  registry: Registry,
  sent: Provision,
  now = Date.now(),
): Promise<{ created: CreatedKey[] }> {
  const file = trimNames(Provision, sent) as Provision
  await checkProvision(registry, file)
  const created: CreatedKey[] = []
  for (const { id, name, admin_key: adminKey, apps = [] } of file.organizations) {
    await registry.organizations.put('', id, { id, name })
    created.push(...(await ensureKey(registry, { power: 'admin', organization: id }, adminKey, now)))
    for (const entry of apps) {
      await putApp(registry, id, entry)
      created.push(
        ...(await ensureKey(registry, { power: 'write', organization: id, app: entry.id }, entry.write_key, now)),
      )
      created.push(
        ...(await ensureKey(registry, { power: 'read', organization: id, app: entry.id }, entry.read_key, now)),
      )
    }
  }
  return { created }
}

async function putApp(registry: Registry, organization: string, entry: AppEntry): Promise<void> {
  const old = await registry.app(entry.id)
  const hashRouting = entry.hash_routing ?? old?.hash_routing
  const tracker = entry.tracker ?? old?.tracker
  const days = entry.retention_days === undefined ? old?.retention_days : entry.retention_days
  const quota = entry.quota_bytes === undefined ? old?.quota_bytes : entry.quota_bytes
  const rules = entry.bot_rules ?? old?.bot_rules
  const funnels = [...(await registry.funnels.list(entry.id)), ...(entry.funnels ?? [])]
  const app: App = {
    id: entry.id,
    organization,
    name: entry.name,
    timezone: entry.timezone ?? old?.timezone ?? 'UTC',
    origins: entry.origins ?? old?.origins ?? [],
    keep_parameters: keptParameters(entry.keep_parameters ?? old?.keep_parameters ?? [], funnels),
    ...(hashRouting === undefined ? {} : { hash_routing: hashRouting }),
    ...(tracker === undefined ? {} : { tracker }),
    ...(days === undefined ? {} : { retention_days: days }),
    ...(quota === undefined ? {} : { quota_bytes: quota }),
    ...(rules === undefined ? {} : { bot_rules: rules }),
  }
  await registry.apps.put(organization, app.id, app)
  for (const funnel of entry.funnels ?? []) {
    const before = (await registry.funnels.get(app.id, funnel.id))?.stages ?? []
    const { stages, highest } = numberStages(funnel.stages, before, await markOf(registry, app.id, funnel.id))
    await putFunnel(registry, app.id, { ...funnel, stages }, { highest })
  }
  for (const element of entry.elements ?? []) await putElement(registry, app.id, element)
}

/** Creates an element, or updates the one with this XPath or this past XPath: it keeps its present XPath. */
async function putElement(registry: Registry, app: string, element: Element): Promise<void> {
  const old = (await registry.elements.list(app)).find((each) => xpathsOf(each).includes(element.xpath))
  const { xpath = element.xpath } = old ?? {}
  await registry.elements.put(app, xpath, { ...old, ...element, xpath })
}

async function ensureKey(
  registry: Registry,
  fields: Omit<CreatedKey, 'key'>,
  provided: string | undefined,
  now: number,
): Promise<CreatedKey[]> {
  const { power, organization, app } = fields
  const keys = await registry.keys.list(organization)
  if (provided === undefined && keys.some((key) => key.power === power && key.app === app)) return []
  const key = provided ?? newKey(power)
  const record = keyRecord(key, power, organization, app, now)
  const known = keys.find(({ hash }) => hash === record.hash)
  if (!known) await registry.keys.put(organization, record.hash, record)
  else if (record.text !== undefined && known.text === undefined && known.power === power)
    await registry.keys.put(organization, record.hash, { ...known, text: record.text })
  return provided === undefined ? [{ ...fields, key }] : []
}
