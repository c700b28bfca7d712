import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, expect, it } from 'vitest'
import { secretsContract } from '../contract/secrets.contract.ts'
import { EmbeddedSecrets, SECRETS_FILE } from './secrets.ts'

const dir = mkdtempSync(join(tmpdir(), 'hopper-secrets-'))
afterAll(() => rmSync(dir, { recursive: true }))
const open = (directory = dir): { secrets: EmbeddedSecrets; close: () => void } => {
  const secrets = new EmbeddedSecrets(directory)
  return { secrets, close: () => secrets.close() }
}

secretsContract('SQLite', async () => open())

/** Returns whether a file of the directory contains these bytes. */
const isInAFile = (directory: string, bytes: Uint8Array): boolean =>
  readdirSync(directory).some((name) => readFileSync(join(directory, name)).includes(Buffer.from(bytes)))

it('no file contains a secret that has expired', async () => {
  const ownDir = mkdtempSync(join(dir, 'own-'))
  const { secrets, close } = open(ownDir)
  const secret = await secrets.secret('day', { now: 0, expiresAt: 10 })
  await secrets.secret('app')
  expect(isInAFile(ownDir, secret)).toBe(true)
  await secrets.removeExpired(9)
  expect(isInAFile(ownDir, secret)).toBe(true)
  await secrets.removeExpired(10)
  expect(isInAFile(ownDir, secret)).toBe(false)
  close()
})

it('control: a plain deletion leaves the secret in the file', async () => {
  const ownDir = mkdtempSync(join(dir, 'own-'))
  const { secrets, close } = open(ownDir)
  const secret = await secrets.secret('day', { now: 0, expiresAt: 10 })
  await secrets.secret('app')
  close()
  const database = new DatabaseSync(join(ownDir, SECRETS_FILE))
  database.exec('PRAGMA secure_delete = OFF; DELETE FROM secrets WHERE expires_at <= 10')
  database.close()
  expect(isInAFile(ownDir, secret)).toBe(true)
})

it('only the user of the process may read the file', async () => {
  const ownDir = mkdtempSync(join(dir, 'own-'))
  const { secrets, close } = open(ownDir)
  await secrets.secret('app')
  expect(statSync(join(ownDir, SECRETS_FILE)).mode & 0o777).toBe(0o600)
  close()
})
