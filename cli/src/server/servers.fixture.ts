import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApi } from '@hopper/api'
import { ingestPlugin } from '@hopper/ingest'
import { openEmbedded } from '@hopper/storage/embedded'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { expect } from 'vitest'
import { demoShop } from '../demo/demo-shop.ts'
import { createServer } from './server.ts'

export type Kind = 'standalone' | 'api' | 'ingest'
export const kinds: readonly Kind[] = ['standalone', 'api', 'ingest']

/** One of the three servers that listen, assembled as its command does, with the demo shop and a dashboard. */
export interface OpenServer {
  readonly server: FastifyInstance
  readonly port: number
  close(): Promise<void>
}

/** @param watch sees the server before it has any route */
export async function openServer(kind: Kind, watch?: (server: FastifyInstance) => void): Promise<OpenServer> {
  const dir = await mkdtemp(join(tmpdir(), 'hopper-server-'))
  const dashboardDir = join(dir, 'dashboard')
  await mkdir(join(dashboardDir, 'assets'), { recursive: true })
  await writeFile(join(dashboardDir, 'index.html'), '<!doctype html><title>Hopper</title>')
  await writeFile(join(dashboardDir, 'assets', 'main-abc123.js'), 'export {}')
  const storage = await openEmbedded({ dir, lanes: 2 })
  const { log, registry, secrets, reader, writer, lanes } = storage
  const health = (): ReturnType<typeof storage.health> => storage.health()
  const [logger, metrics] = [pino({ level: 'silent' }), new Registry()]
  const server = createServer(logger, 0)
  watch?.(server)
  if (kind !== 'api') {
    const answersUnknownPaths = kind === 'ingest'
    await server.register(ingestPlugin, { log, registry, secrets, health, metrics, answersUnknownPaths })
    await server.register(demoShop, { key: 'hw_demo_0123456789abcdef' })
  }
  const options = {
    log,
    reader,
    writer,
    lanes,
    registry,
    secrets,
    health,
    mode: 'standalone',
    publicUrl: 'http://127.0.0.1',
    metrics,
    logger,
    dashboardDir,
    operationRoutes: kind === 'api',
  } as const
  const api = kind === 'ingest' ? undefined : await createApi(options, server)
  await server.listen({ host: '127.0.0.1', port: 0 })
  return {
    server,
    port: (server.server.address() as AddressInfo).port,
    async close() {
      await (api ?? server).close()
      await storage.close()
      await rm(dir, { recursive: true })
    },
  }
}

export interface Answer {
  status: number
  head: string
  code: string | undefined
}

/** Sends raw bytes. The connection is closed by the server, or by the test once an answer has arrived. */
export function sendRaw(port: number, request: string | Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(request))
    const finish = (): void => {
      const [head = '', body = ''] = text.split('\r\n\r\n')
      const status = Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1])
      const json =
        body !== '' && /^content-type: application\/json/im.test(head)
          ? (JSON.parse(body.replace(/^[0-9a-f]+\r\n|\r\n0$/g, '')) as { error?: { code: string; message: string } })
          : {}
      if (json.error) expect(json.error.message.length).toBeGreaterThan(10)
      resolve({ status, head, code: json.error?.code })
    }
    socket.on('data', (data) => {
      text += data.toString()
      const length = /content-length: (\d+)/i.exec(text)?.[1]
      if (length !== undefined && Buffer.byteLength(text.split('\r\n\r\n')[1] ?? '') >= Number(length)) socket.end()
    })
    socket
      .on('close', finish)
      .on('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNRESET' ? finish() : reject(error)))
    socket.setTimeout(10_000, () => socket.destroy(new Error(`no answer: ${text}`)))
  })
}

/** Joins the lines of a request without a body. */
export const lines = (...all: string[]): string => `${all.join('\r\n')}\r\n\r\n`
