import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { build } from 'vite'
import { vi } from 'vitest'

const types: Record<string, string> = { '.js': 'text/javascript', '.css': 'text/css' }

/** A single-page app, built as its developers build it, and served from an origin of its own. */
export interface BuiltApp extends AsyncDisposable {
  readonly url: string
}

/** Builds an app of the folder `apps`, whose tracker sends to this address with this key. */
export async function buildApp(name: 'react' | 'vue', ingestUrl: string, writeKey: string): Promise<BuiltApp> {
  const outDir = mkdtempSync(join(tmpdir(), `hopper-${name}-`))
  const root = join(import.meta.dirname, 'apps')
  // vitest sets `test`, with which Vite would compile JSX for development
  vi.stubEnv('NODE_ENV', 'production')
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    define: {
      WRITE_KEY: JSON.stringify(writeKey),
      INGEST_URL: JSON.stringify(ingestUrl),
    },
    build: { outDir, emptyOutDir: true, rolldownOptions: { input: join(root, `${name}.html`) } },
  })
  vi.unstubAllEnvs()
  const html = readFileSync(join(outDir, `${name}.html`), 'utf8')
    .replaceAll('INGEST_URL', ingestUrl)
    .replaceAll('WRITE_KEY', writeKey)
  const server = createServer(({ url }, response) => {
    const file = join(outDir, new URL(url!, 'http://app').pathname)
    const type = types[extname(file)]
    // the app itself routes all other paths
    if (type && existsSync(file)) response.writeHead(200, { 'content-type': type }).end(readFileSync(file))
    else response.writeHead(200, { 'content-type': 'text/html' }).end(html)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await once(server.close(), 'close')
      rmSync(outDir, { recursive: true, force: true })
    },
  }
}
