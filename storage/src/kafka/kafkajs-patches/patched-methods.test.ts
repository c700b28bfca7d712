import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { patched as encoder } from './encoder.ts'
import type { PatchedMethods } from './patched-methods.ts'
import { patched as requestQueue } from './request-queue.ts'

const require = createRequire(import.meta.url)
const patches: Record<string, PatchedMethods> = { 'encoder.ts': encoder, 'request-queue.ts': requestQueue }

/** SHA-256 of the sources of methods of kafkajs, loaded again: as they are before they are replaced. */
function installedMethods(module: string, names: readonly string[]): Record<string, string> {
  delete require.cache[require.resolve(module)]
  const { prototype } = require(module) as { prototype: Record<string, () => unknown> }
  const hashOf = (name: string): string => createHash('sha256').update(String(prototype[name])).digest('hex')
  return Object.fromEntries(names.map((name) => [name, hashOf(name)]))
}

describe('a patch of kafkajs', () => {
  it.each(Object.keys(patches))('%s replaces methods that are as they were when it was written', (file) => {
    const { version, module, methods } = patches[file]!
    expect((require('kafkajs/package.json') as { version: string }).version).toBe(version)
    expect(installedMethods(module, Object.keys(methods))).toEqual(methods)
  })

  it('is only in this folder, and every one in it is checked here', () => {
    const sources = new URL('../../', import.meta.url)
    const reachingIn = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter(
      (file) => /(?<!\.test)\.ts$/.test(file) && readFileSync(new URL(file, sources), 'utf8').includes("'kafkajs/src/"),
    )
    expect(reachingIn.sort()).toEqual(Object.keys(patches).map((file) => `kafka/kafkajs-patches/${file}`))
  })
})
