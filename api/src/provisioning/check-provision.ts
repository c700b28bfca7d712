import { HopperError, Provision, isTimeZone, xpathsOf } from '@hopper/contracts'
import type { Registry } from '@hopper/storage'
import { secretHash } from '../access/secret.ts'
import { faultsIn } from '../http/checked.ts'
import { botRuleProblems } from '../services/administration/check-bot-rules.ts'
import { keptParameters, keptProblems, stageProblems } from '../services/administration/check-stages.ts'
import { fingerprintFaults } from '../validation/fingerprints.ts'
import { xpathProblem } from '../validation/xpath.ts'

/** @throws HopperError HOP_CONFIG that lists every fault of a provision file */
export async function checkProvision(registry: Registry, file: unknown): Promise<void> {
  const faults = faultsIn(Provision, file)
  const problems =
    faults.length > 0
      ? faults.map(({ field, message }) => `${field || 'the file'} ${message}`)
      : [
          ...twice(file as Provision),
          ...(await unusableStages(registry, file as Provision)),
          ...unusableRules(file as Provision),
          ...(await conflicts(registry, file as Provision)),
        ]
  if (problems.length > 0)
    throw new HopperError('HOP_CONFIG', `Provision file: ${problems.slice(0, 20).join('; ')}.`, {
      details: { problems },
    })
}

function twice({ organizations }: Provision): string[] {
  const apps = organizations.flatMap((organization) => organization.apps ?? [])
  const keys = [
    ...organizations.map((one) => one.admin_key),
    ...apps.flatMap((app) => [app.write_key, app.read_key]),
  ].filter((key) => key !== undefined)
  return [
    ...duplicatesIn(organizations.map(({ id }) => id)).map((id) => `organization "${id}" is listed twice`),
    ...duplicatesIn(apps.map(({ id }) => id)).map(
      (id) => `app "${id}" is listed twice; ids are unique in an installation`,
    ),
    ...duplicatesIn(keys).map((key) => `the key that ends in ${key.slice(-4)} is listed twice`),
    ...apps.flatMap((app) => [
      ...duplicatesIn((app.funnels ?? []).map(({ id }) => id)).map(
        (id) => `app "${app.id}" has the funnel "${id}" twice`,
      ),
      ...duplicatesIn((app.elements ?? []).flatMap(xpathsOf)).map(
        (xpath) => `app "${app.id}" has the element "${xpath}" twice`,
      ),
    ]),
  ]
}

async function unusableStages(registry: Registry, { organizations }: Provision): Promise<string[]> {
  const problems: string[] = []
  for (const { id, hash_routing, keep_parameters, funnels = [], elements = [] } of organizations.flatMap(
    (organization) => organization.apps ?? [],
  )) {
    const old = await registry.app(id)
    const hashRouting = hash_routing ?? old?.hash_routing ?? false
    for (const funnel of funnels) {
      for (const { field, message } of stageProblems(funnel, { hash_routing: hashRouting }))
        problems.push(`app "${id}", funnel "${funnel.id}": ${field} ${message}`)
    }
    for (const { name, xpath, fingerprints = [] } of elements) {
      const problem = xpathProblem(xpath)
      if (problem !== undefined) problems.push(`app "${id}", element "${name}": xpath ${problem}`)
      for (const { field, message } of fingerprintFaults(fingerprints))
        problems.push(`app "${id}", element "${name}": ${field} ${message}`)
    }
    const parameters = keptParameters(keep_parameters ?? old?.keep_parameters ?? [], funnels)
    problems.push(...keptProblems(parameters).map(({ message }) => `app "${id}": its stages ${message}`))
  }
  return problems
}

function unusableRules({ organizations }: Provision): string[] {
  return organizations
    .flatMap(({ apps = [] }) => apps)
    .flatMap(({ id, bot_rules = [] }) =>
      botRuleProblems(bot_rules).map(({ field, message }) => `app "${id}": ${field} ${message}`),
    )
}

async function conflicts(registry: Registry, { organizations }: Provision): Promise<string[]> {
  const problems: string[] = []
  for (const organization of organizations) {
    problems.push(...(await keyConflict(registry, organization.admin_key, organization.id, undefined)))
    for (const { id, timezone, write_key: writeKey, read_key: readKey } of organization.apps ?? []) {
      const old = await registry.app(id)
      if (timezone !== undefined && !isTimeZone(timezone))
        problems.push(`app "${id}" has the unknown time zone "${timezone}"`)
      if (old && timezone !== undefined && timezone !== old.timezone) {
        problems.push(
          `app "${id}" has counted its dates in ${old.timezone} since it was created; ` +
            `its time zone cannot become ${timezone}`,
        )
      }
      if (old && old.organization !== organization.id)
        problems.push(`app "${id}" belongs to the organization "${old.organization}"`)
      problems.push(
        ...(await keyConflict(registry, writeKey, organization.id, id)),
        ...(await keyConflict(registry, readKey, organization.id, id)),
      )
    }
  }
  return problems
}

async function keyConflict(
  registry: Registry,
  key: string | undefined,
  organization: string,
  app: string | undefined,
): Promise<string[]> {
  const record = key === undefined ? undefined : await registry.keyByHash(secretHash(key))
  return record && (record.organization !== organization || record.app !== app)
    ? [`the key that ends in ${record.hint} is already used elsewhere`]
    : []
}

function duplicatesIn(values: readonly (string | number)[]): string[] {
  return [...new Set(values.filter((value, index) => values.indexOf(value) !== index))].map(String)
}
