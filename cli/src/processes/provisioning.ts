import { readFile, stat } from 'node:fs/promises'
import { createLoginLink, ensureOwner, firstStart, provision, type CreatedKey } from '@hopper/api'
import { HopperError, type Provision } from '@hopper/contracts'
import type { Registry } from '@hopper/storage'
import { demoProvision } from '../demo/demo-shop.ts'
import type { Welcome } from './greeting.ts'

const PROVISION_BYTES_MAX = 50_000_000
/** Anybody who reaches the demo shop may send to its app. */
const PUBLIC_DEMO_QUOTA_BYTES = 1_000_000_000

/** Entries that the start has created or found in the registry. */
export type Provisioned = Pick<Welcome, 'loginUrl' | 'newKeys'>

/** Sources of the entries that the start puts into the registry. */
export interface ProvisionSource {
  /** the path of the provision file */
  readonly file: string | undefined
  /** the write key of the demo shop; undefined when there is no demo shop */
  readonly demoKey?: string | undefined
  /** whether others than this machine reach the demo shop */
  readonly isDemoPublic?: boolean
}

/**
 * Applies the provision file, or fills an empty installation; adds the demo shop; creates a link that logs the owner
 * in.
 */
export async function provisionAll(
  registry: Registry,
  source: ProvisionSource,
  publicUrl: string,
): Promise<Provisioned> {
  const created: CreatedKey[] = []
  const file = source.file === undefined ? undefined : await readProvision(source.file)
  if (file !== undefined) created.push(...(await provision(registry, file)).created)
  else created.push(...((await firstStart(registry))?.created ?? []))

  const organization = file?.organizations[0]?.id ?? (await registry.organizations.list(''))[0]?.id
  if (organization === undefined) return { loginUrl: undefined, newKeys: keysOf(created) }
  if (source.demoKey !== undefined) await addDemo(registry, organization, source, created)
  const owner = await ensureOwner(registry, organization)
  return {
    loginUrl: await createLoginLink({ registry, organization, member: owner.id, publicUrl }),
    newKeys: keysOf(created),
  }
}

/**
 * The demo app belongs to the organization whose owner the link logs in, so that people see what they did in the shop.
 */
async function addDemo(
  registry: Registry,
  organization: string,
  { demoKey, isDemoPublic = false }: ProvisionSource,
  created: CreatedKey[],
): Promise<void> {
  for (const app of demoProvision().organizations.flatMap(({ apps = [] }) => apps)) {
    const known = await registry.app(app.id)
    const home = known?.organization ?? organization
    const { name = home } = (await registry.organizations.get('', home)) ?? {}
    const demo = {
      ...app,
      ...(demoKey === undefined ? {} : { write_key: demoKey }),
      // what an admin has set, even to none, stays
      ...(isDemoPublic && known?.quota_bytes === undefined ? { quota_bytes: PUBLIC_DEMO_QUOTA_BYTES } : {}),
    }
    created.push(...(await provision(registry, { organizations: [{ id: home, name, apps: [demo] }] })).created)
  }
}

async function readProvision(path: string): Promise<Provision> {
  const text = await readText(path).catch((cause: Error) => {
    throw new HopperError('HOP_CONFIG', `The provision file ${path} cannot be read: ${cause.message}.`, { cause })
  })
  try {
    // Its schema is checked when it is applied.
    return JSON.parse(text) as Provision
  } catch (cause) {
    throw new HopperError('HOP_CONFIG', `The provision file ${path} is not JSON: ${(cause as Error).message}.`, {
      cause,
    })
  }
}

/** Reads regular files only: a pipe or a device might never end. */
async function readText(path: string): Promise<string> {
  const { size } = await stat(path).then((found) => {
    if (!found.isFile()) throw new Error('it is not a file')
    return found
  })
  if (size > PROVISION_BYTES_MAX) throw new Error(`it has ${size} bytes, more than ${PROVISION_BYTES_MAX}`)
  return readFile(path, 'utf8')
}

function keysOf(created: readonly CreatedKey[]): Welcome['newKeys'] {
  return created.map(({ power, organization, app, key }) => ({ label: `${power} key of ${app ?? organization}`, key }))
}
