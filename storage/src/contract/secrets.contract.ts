import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SECRET_BYTES, type Secrets } from '../ports/secrets.ts'

interface Opened {
  readonly secrets: Secrets
  readonly close: () => unknown
}

/** The contract of every adapter of secrets. `make` opens the same store each time, as a process of its own would. */
export function secretsContract(name: string, make: () => Promise<Opened>): void {
  describe(`secrets on ${name}`, () => {
    let processes: Opened[]
    beforeAll(async () => void (processes = [await make(), await make()]))
    afterAll(() => Promise.all(processes.map((each) => each.close())))

    const ask = async (names: readonly string[], opened = processes): Promise<string[]> =>
      Promise.all(opened.flatMap(({ secrets }) => names.map(async (each) => hexOf(await secrets.secret(each)))))

    it('are random, one for each name', async () => {
      const [a, b] = await ask([randomUUID(), randomUUID()], processes.slice(0, 1))
      expect([a, b].map((each) => each!.length)).toEqual([2 * SECRET_BYTES, 2 * SECRET_BYTES])
      expect(a).not.toBe(b)
    })

    it('are created once by concurrent processes, and stay', async () => {
      const id = randomUUID()
      const first = await ask([id, id, id])
      expect(new Set(first).size).toBe(1)
      expect(new Set([...first, ...(await ask([id]))]).size).toBe(1)
    })

    it('end with their lifetime, and another one follows', async () => {
      const [id, { secrets }] = [randomUUID(), processes[0]!]
      const now = Date.now()
      const lasting = await Promise.all(
        processes.map(async (each) => hexOf(await each.secrets.secret(id, { now, expiresAt: now + 3_600_000 }))),
      )
      expect(new Set(lasting).size).toBe(1)
      const brief = `${id}-brief`
      const before = hexOf(await secrets.secret(brief, { now, expiresAt: now + 1_000 }))
      await expect
        .poll(
          async () => {
            await secrets.removeExpired(Date.now())
            return hexOf(await secrets.secret(brief, { now: Date.now(), expiresAt: Date.now() + 3_600_000 }))
          },
          { timeout: 15_000 },
        )
        .not.toBe(before)
      expect(hexOf(await secrets.secret(id, { now, expiresAt: now + 3_600_000 }))).toBe(lasting[0])
    })
  })
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
