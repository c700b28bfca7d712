import { readdirSync, readFileSync } from 'node:fs'
import { extname, join, relative, resolve, sep } from 'node:path'
import type { AccessConfig, Provision } from '@hopper/contracts'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'

const dir = resolve(import.meta.dirname, '../../demo-shop')
const open = { config: { access: 'nothing' } satisfies AccessConfig }
const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** Returns the app of the demo shop with its funnels and elements from its provision file. */
export function demoProvision(): Provision {
  return JSON.parse(readFileSync(join(dir, 'provision.json'), 'utf8')) as Provision
}

/** Serves the shop under /demo/, with the real tracker in its pages. */
export const demoShop: FastifyPluginAsync<{ key: string }> = async (server, { key }) => {
  const files = filesWithTracker(key)
  server.addHook('onRequest', (request, reply, done) => {
    void reply.header('content-security-policy', policyOf(request))
    done()
  })
  server.get('/demo', open, (_request, reply) => reply.redirect('/demo/'))
  server.get<{ Params: { '*': string } }>('/demo/*', open, (request, reply) => {
    const name = fileFor(request.params['*'], files)
    if (name === undefined) return reply.callNotFound()
    return reply.type(types[extname(name)]!).header('cache-control', 'no-cache').send(files.get(name))
  })
}

/**
 * The shop is at the origin of the dashboard, so its policy keeps it apart: it runs its own scripts and the tracker,
 * and reaches ingest and nothing of the API. A window that it opens on the dashboard cannot be scripted, since only the
 * dashboard has a cross-origin opener policy.
 */
function policyOf({ protocol, host }: FastifyRequest): string {
  const origin = /^[\w.:[\]-]+$/.test(host) ? `${protocol}://${host}` : "'none'"
  return [
    "default-src 'none'",
    `script-src ${origin}/demo/ ${origin}/hopper.js`,
    `style-src ${origin}/demo/`,
    "style-src-attr 'unsafe-inline'",
    `img-src ${origin}/demo/`,
    `connect-src ${origin}/v1/`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

/** Maps each path to its file, read once. Only these paths can be requested. */
function filesWithTracker(key: string): ReadonlyMap<string, string> {
  const entries = readdirSync(dir, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && extname(entry.name) in types,
  )
  return new Map(
    entries.map((entry) => {
      const file = join(entry.parentPath, entry.name)
      const text = readFileSync(file, 'utf8')
        .replaceAll('__HOPPER_KEY__', key)
        .replaceAll('__HOPPER_SRC__', '/hopper.js')
      return [relative(dir, file).replaceAll(sep, '/'), text] as const
    }),
  )
}

/** A path with an extension names a file. Any other path is a page, and one document serves all pages. */
function fileFor(path: string, files: ReadonlyMap<string, string>): string | undefined {
  if (files.has(path)) return path
  return extname(path) === '' ? 'index.html' : undefined
}
