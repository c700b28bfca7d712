import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ingestPlugin } from '@hopper/ingest'
import { openEmbedded } from '@hopper/storage/embedded'
import fastify from 'fastify'
import { Registry } from 'prom-client'
import { putApp, putWriteKey } from '../harness/bench-app.ts'

/** Runs ingest alone over the embedded log in its own directory, for the ratio against `node:http`. */
const dir = mkdtempSync(join(tmpdir(), 'hopper-bench-'))
const storage = await openEmbedded({ dir, lanes: 8 })
await putWriteKey(storage.registry, await putApp(storage.registry))

const server = fastify()
await server.register(ingestPlugin, {
  log: storage.log,
  registry: storage.registry,
  secrets: storage.secrets,
  health: () => storage.health(),
  metrics: new Registry(),
})
await server.listen({ port: 0, host: '127.0.0.1' })
process.send?.({ port: (server.server.address() as AddressInfo).port })

const end = async (): Promise<void> => {
  await server.close()
  await storage.close()
  rmSync(dir, { recursive: true, force: true })
  process.exit()
}
process.on('SIGTERM', () => void end())
process.on('disconnect', () => void end())
