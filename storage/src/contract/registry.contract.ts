import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Storage } from '../ports/storage.ts'

/** The contract of every registry adapter. */
export function registryContract(name: string, make: () => Promise<Storage>): void {
  describe(`registry on ${name}`, () => {
    let storage: Storage
    beforeAll(async () => void (storage = await make()))
    afterAll(() => storage.close())

    it('puts, replaces, lists by id and removes the records of one owner', async () => {
      const [owner, other] = [randomUUID(), randomUUID()]
      const { elements } = storage.registry
      await elements.put(owner, '//b', { name: 'b', xpath: '//b' })
      await elements.put(owner, '__proto__', { name: 'a', xpath: '__proto__' })
      await elements.put(other, '//b', { name: 'other', xpath: '//b' })
      await elements.put(owner, '//b', { name: 'B', xpath: '//b' })
      expect((await elements.list(owner)).map((each) => each.name)).toEqual(['B', 'a'])
      expect(await elements.get(owner, '__proto__')).toEqual({ name: 'a', xpath: '__proto__' })
      expect(await elements.list()).toContainEqual({ name: 'other', xpath: '//b' })
      expect(await elements.remove(owner, '//b')).toBe(true)
      expect(await elements.remove(owner, '//b')).toBe(false)
      expect(await elements.get(owner, '//b')).toBeUndefined()
    })

    it('finds an app by its id and a key by its hash', async () => {
      const [id, organization, hash] = [randomUUID(), randomUUID(), randomUUID()]
      const app = { id, organization, name: 'Shop', timezone: 'UTC', origins: [], keep_parameters: [] }
      const key = { hash, power: 'write' as const, organization, app: id, created_at: 1, hint: 'abcd' }
      await storage.registry.apps.put(organization, id, app)
      await storage.registry.keys.put(organization, hash, key)
      expect(await storage.registry.app(id)).toEqual(app)
      expect(await storage.registry.keyByHash(hash)).toEqual(key)
      expect(await storage.registry.app(randomUUID())).toBeUndefined()
    })
  })
}
