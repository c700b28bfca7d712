import { readdirSync, readFileSync } from 'node:fs'
import { extname, resolve } from 'node:path'
import type { Provision } from '@hopper/contracts'
import type { FastifyPluginAsync } from 'fastify'

const dir = resolve(import.meta.dirname, '../demo-shop')
const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml',
}

/** The organization and app of the demo shop, its funnel and its elements. */
export function demoProvision(writeKey: string): Provision {
  const provision = JSON.parse(readFileSync(resolve(dir, 'provision.json'), 'utf8')) as Provision
  for (const app of provision.organizations.flatMap(({ apps = [] }) => apps)) app.write_key = writeKey
  return provision
}

/** The shop's pages under /demo/, with the real tracker in them. */
export const demoShop: FastifyPluginAsync<{ key: string }> = async (server, { key }) => {
  const files = new Map(readdirSync(dir).filter((name) => types[extname(name)]).map((name) => [name, withTracker(readFileSync(resolve(dir, name), 'utf8'), key)]))
  server.get('/demo', (_request, reply) => reply.redirect('/demo/'))
  server.get<{ Params: { '*': string } }>('/demo/*', (request, reply) => {
    const path = request.params['*']
    const name = files.has(path) ? path : 'index.html'
    return reply.type(types[extname(name)]!).header('cache-control', 'no-cache').send(files.get(name))
  })
}

function withTracker(text: string, key: string): string {
  return text.replaceAll('__HOPPER_KEY__', key).replaceAll('__HOPPER_SRC__', '/hopper.js')
}
