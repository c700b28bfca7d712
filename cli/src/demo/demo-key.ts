import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HopperError, keyPrefixes } from '@hopper/contracts'

/** Pattern of a write key. */
export const writeKeyPattern = new RegExp(`^${keyPrefixes.write}[A-Za-z0-9_-]{16,128}$`)
/** name of the file in the data directory */
export const DEMO_KEY_FILE = 'demo-key'
const fileOf = (dataDir: string): string => join(dataDir, DEMO_KEY_FILE)

/**
 * Reads the write key of the demo app. Keys are stored only as hashes, but the pages of the demo shop must contain this
 * one (every site shows its write key), so it has its own file.
 */
export async function readDemoKey(dataDir: string): Promise<string> {
  const key = await read(dataDir)
  if (key === undefined)
    throw new HopperError(
      'HOP_CONFIG',
      `There is no demo key in ${dataDir}; name the write key by --key, or the data directory by --data.`,
    )
  return key
}

/** Reads the key, or creates it when there is none. */
export async function ensureDemoKey(dataDir: string): Promise<string> {
  const known = await read(dataDir)
  if (known !== undefined) return known
  const key = `${keyPrefixes.write}${randomBytes(18).toString('base64url')}`
  await writeFile(fileOf(dataDir), `${key}\n`)
  return key
}

async function read(dataDir: string): Promise<string | undefined> {
  const text = await readFile(fileOf(dataDir), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  const key = text?.trim()
  if (key !== undefined && !writeKeyPattern.test(key))
    throw new HopperError(
      'HOP_CONFIG',
      `${fileOf(dataDir)} contains no write key; remove it, and the next start creates a new one.`,
    )
  return key
}
