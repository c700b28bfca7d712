import { createApi } from '@hopper/api'
import type { Storage } from '@hopper/storage'
import { pino } from 'pino'
import { Registry } from 'prom-client'

export type Api = Awaited<ReturnType<typeof createApi>>

/** Calls the real API over a storage, in this process. */
export async function withApi<T>(storage: Storage, work: (api: Api) => Promise<T>, clock = Date.now): Promise<T> {
  const api = await createApi({
    ...storage,
    health: () => storage.health(),
    mode: 'standalone',
    publicUrl: 'http://localhost',
    metrics: new Registry(),
    logger: pino({ level: 'silent' }),
    clock,
  })
  try {
    return await work(api)
  } finally {
    await api.close()
  }
}
