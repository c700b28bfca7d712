import { Inject, Injectable } from '@nestjs/common'
import { HopperError, type App, type KeyRecord } from '@hopper/contracts'
import type { Registry } from '@hopper/storage'
import { roleOf, type Caller } from '../../access/caller.ts'
import { keyRecord, newKey } from '../../access/secret.ts'
import type { CreatedKey, Key, NewKey } from '../../answers/administration.ts'
import { CLOCK, REGISTRY, type Clock } from '../../tokens.ts'

const ID_CHARS = 16
const KEYS_PER_APP_MAX = 100

/**
 * Manages the keys of an app and, for owners, the admin keys of its organization. A key's id is the prefix of its hash.
 */
@Injectable()
export class KeysService {
  private readonly registry: Registry
  private readonly clock: Clock

  constructor(@Inject(REGISTRY) registry: Registry, @Inject(CLOCK) clock: Clock) {
    this.registry = registry
    this.clock = clock
  }

  async list(app: App, caller: Caller): Promise<Key[]> {
    const [keys, uses] = await Promise.all([this.visible(app, caller), this.registry.keyUses.list(app.organization)])
    const usedAt = new Map(uses.map(({ hash, at }) => [hash, at]))
    return keys.map((key) => viewOf(key, usedAt.get(key.hash)))
  }

  async create(app: App, { power, name }: NewKey, caller: Caller): Promise<CreatedKey> {
    if (power === 'admin' && roleOf(caller) !== 'owner') throw new HopperError('HOP_ROLE')
    if ((await this.visible(app, caller)).length >= KEYS_PER_APP_MAX)
      throw new HopperError('HOP_LIMIT', undefined, { details: { keys_max: KEYS_PER_APP_MAX } })
    const key = newKey(power)
    const record = keyRecord(key, power, app.organization, power === 'admin' ? undefined : app.id, this.clock(), name)
    await this.registry.keys.put(app.organization, record.hash, record)
    return { ...viewOf(record), key }
  }

  async remove(app: App, id: string, caller: Caller): Promise<void> {
    const record = (await this.visible(app, caller)).find(({ hash }) => hash.slice(0, ID_CHARS) === id)
    if (!record)
      throw new HopperError('HOP_NOT_FOUND', 'No such key in this app; GET /api/v1/apps/APP/keys lists them by id.')
    await this.registry.keys.remove(app.organization, record.hash)
    await this.forgetUses(app.organization)
  }

  /** Removes the uses of keys that are gone: a process can note one for some seconds after its key was removed. */
  private async forgetUses(organization: string): Promise<void> {
    const [keys, uses] = await Promise.all([
      this.registry.keys.list(organization),
      this.registry.keyUses.list(organization),
    ])
    const present = new Set(keys.map(({ hash }) => hash))
    for (const { hash } of uses) if (!present.has(hash)) await this.registry.keyUses.remove(organization, hash)
  }

  private async visible(app: App, caller: Caller): Promise<KeyRecord[]> {
    const keys = await this.registry.keys.list(app.organization)
    return keys.filter((key) => key.app === app.id || (key.power === 'admin' && roleOf(caller) === 'owner'))
  }
}

function viewOf({ hash, power, hint, created_at, name, text }: KeyRecord, usedAt?: number): Key {
  return {
    id: hash.slice(0, ID_CHARS),
    power,
    hint,
    created_at,
    ...(name === undefined ? {} : { name }),
    ...(usedAt === undefined ? {} : { last_used_at: usedAt }),
    ...(text === undefined ? {} : { key: text }),
  }
}
