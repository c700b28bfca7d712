import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { emptyBatch, type LaneBatch, type Storage } from '@hopper/storage'
import { createApi, provision, type ApiOptions } from '../index.ts'

export const LANES = 2
export const keys = {
  admin: 'ha_acme-administration',
  write: 'hw_shop-write-key-0001',
  read: 'hr_shop-read-key-00001',
  blogRead: 'hr_blog-read-key-00001',
  otherAdmin: 'ha_other-administration',
} as const

/** 2026-03-30 12:00 UTC: the day after the clocks changed in Berlin. */
export const NOW = Date.UTC(2026, 2, 30, 12)

export interface Installation {
  readonly app: NestFastifyApplication
  readonly storage: Storage
  clock: number
  get(
    url: string,
    headers?: Record<string, string>,
  ): Promise<{ status: number; body: never; text: string; headers: Record<string, unknown> }>
  send(
    method: 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'GET',
    url: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): ReturnType<Installation['get']>
  /** the metrics of the API, as text */
  metrics(): Promise<string>
  /** Applies a batch to the tables of its lane. */
  fill(batch: Partial<LaneBatch> & { lane: number }): Promise<void>
  close(): Promise<void>
}

type OpenStorage = (options: { dir: string; lanes: number }) => Promise<Storage>

/**
 * Opens a real API over real storage in a directory of its own, with two organizations and three apps. The test chooses
 * the adapter.
 */
export async function openInstallation(open: OpenStorage, options: Partial<ApiOptions> = {}): Promise<Installation> {
  const dir = mkdtempSync(join(tmpdir(), 'hopper-api-'))
  const storage = await open({ dir, lanes: LANES })
  await provision(storage.registry, provisionFile, NOW)
  const installation = { clock: NOW } as Installation
  const metrics = new Registry()
  const app = await apiOver(storage, { metrics, clock: () => installation.clock, ...options })
  const send: Installation['send'] = async (method, url, body, headers = {}) => {
    const answer = await app.inject({
      method,
      url,
      headers,
      ...(body === undefined ? {} : { payload: body as object }),
    })
    const json = String(answer.headers['content-type']).startsWith('application/json')
    return {
      status: answer.statusCode,
      body: (json ? answer.json() : undefined) as never,
      text: answer.body,
      headers: answer.headers,
    }
  }
  return Object.assign(installation, {
    app,
    storage,
    send,
    metrics: () => metrics.metrics(),
    get: (url: string, headers: Record<string, string> = { authorization: `Bearer ${keys.read}` }) =>
      send('GET', url, undefined, headers),
    fill: async (batch: Partial<LaneBatch> & { lane: number }) => {
      const lease = await storage.lanes.acquire(batch.lane, 'test')
      await storage.writer.apply(lease, { ...emptyBatch, ...batch })
      await storage.lanes.release(lease)
    },
    close: async () => {
      await app.close()
      await storage.close()
      rmSync(dir, { recursive: true })
    },
  })
}

/** Creates an API over storage, as one process of several. */
export function apiOver(storage: Storage, options: Partial<ApiOptions> = {}): Promise<NestFastifyApplication> {
  return createApi({
    ...storage,
    health: () => storage.health(),
    mode: 'standalone',
    publicUrl: 'http://127.0.0.1:8080',
    metrics: new Registry(),
    logger: pino({ level: 'silent' }),
    ...options,
  })
}

const provisionFile = {
  organizations: [
    {
      id: 'acme',
      name: 'Acme',
      admin_key: keys.admin,
      apps: [
        {
          id: 'shop',
          name: 'Shop',
          timezone: 'Europe/Berlin',
          write_key: keys.write,
          read_key: keys.read,
          funnels: [
            {
              id: 'checkout',
              name: 'Checkout',
              stages: [
                { id: 1, name: '/home', url: '/home' },
                { id: 2, name: 'cart', click: '#add' },
                { id: 3, name: 'thanks', url: '/thanks' },
              ],
            },
          ],
          elements: [
            { name: 'Add to cart', xpath: "//*[@id='add']" },
            { name: 'Never seen', xpath: '//b' },
          ],
        },
        { id: 'blog', name: 'Blog', timezone: 'Asia/Kathmandu', read_key: keys.blogRead },
      ],
    },
    { id: 'other', name: 'Other', admin_key: keys.otherAdmin, apps: [{ id: 'foreign', name: 'Foreign' }] },
  ],
}
