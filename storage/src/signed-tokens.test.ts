import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, it } from 'vitest'
import { EmbeddedSecrets } from './embedded/secrets.ts'
import { SignedTokens } from './signed-tokens.ts'

const dir = mkdtempSync(join(tmpdir(), 'hopper-tokens-'))
const secrets = new EmbeddedSecrets(dir)
afterAll(() => {
  secrets.close()
  rmSync(dir, { recursive: true })
})
let now = 1_000_000
const tokens = new SignedTokens(secrets, () => now)

it('a token gives its subject until it ends, in every process', async () => {
  const { token, expiresAt } = await tokens.sign('link', 'shop', 'dévice|.1', 2_000)
  expect(expiresAt).toBe(now + 2_000)
  expect(token).toMatch(/^[\w.-]+$/)
  const other = new SignedTokens(secrets, () => now)
  expect(await other.verify('link', 'shop', token)).toEqual({ subject: 'dévice|.1' })
  now += 2_000
  expect(await other.verify('link', 'shop', token)).toEqual({ fault: 'expired' })
})

it('a token is for one purpose and one app', async () => {
  const { token } = await tokens.sign('link', 'shop', 'd', 2_000)
  expect(await tokens.verify('pick', 'shop', token)).toEqual({ fault: 'forged' })
  expect(await tokens.verify('link', 'blog', token)).toEqual({ fault: 'forged' })
})

it('no other text is a token: a changed one, one with a later end, or anything else', async () => {
  const { token } = await tokens.sign('link', 'shop', 'device', 2_000)
  const [end, ...rest] = token.split('.')
  const later = [(parseInt(end!, 36) + 1_000_000).toString(36), ...rest].join('.')
  expect(await tokens.verify('link', 'shop', later)).toEqual({ fault: 'forged' })
  for (const text of ['', '.', '..', 'a.b.c', `${token}=`, `${token}.`, 'x'.repeat(100_000)])
    expect(await tokens.verify('link', 'shop', text)).toEqual({ fault: 'malformed' })
  await fc.assert(
    fc.asyncProperty(fc.nat(token.length - 1), fc.constantFrom(...'aZ09-_.'), async (index, character) => {
      const changed = token.slice(0, index) + character + token.slice(index + 1)
      // the last character of base64 has bits that are not used
      if (changed === token || index === token.length - 1) return
      expect(await tokens.verify('link', 'shop', changed)).toHaveProperty('fault')
    }),
  )
})
