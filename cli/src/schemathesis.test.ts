import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createApi, provision } from '@hopper/api'
import { ingestPlugin } from '@hopper/ingest'
import { openEmbedded } from '@hopper/storage/embedded'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createServer } from './server/server.ts'

const VERSION = '4.32.5'
const RUN_MS_MAX = 150_000
const run = promisify(execFile)
const closing: (() => Promise<unknown>)[] = []
const keys = { admin: 'ha_schemathesis-admin-1', write: 'hw_schemathesis-write-1', read: 'hr_schemathesis-read-01' }
let url = ''

/**
 * Installs the tool in a virtual environment below the system's temporary directory. Where it cannot be installed,
 * prints why and returns undefined.
 */
async function findTool(): Promise<string | undefined> {
  const home = join(tmpdir(), `hopper-schemathesis-${VERSION}`)
  const tool = join('bin', 'schemathesis')
  if (existsSync(join(home, tool))) return join(home, tool)
  try {
    await run('python3', ['-m', 'venv', home], { timeout: 120_000 })
    await run(
      join(home, 'bin', 'pip'),
      ['install', '--quiet', '--disable-pip-version-check', `schemathesis==${VERSION}`],
      { timeout: 300_000 },
    )
    return join(home, tool)
  } catch (error) {
    await rm(home, { recursive: true, force: true })
    if (process.env['HOPPER_REQUIRE_ENGINES'] === '1') throw error
    console.log(`schemathesis: SKIPPED, it cannot be installed here (${(error as Error).message.split('\n', 1)[0]})`)
    return undefined
  }
}

const tool = await findTool()

beforeAll(async () => {
  const dir = await mkdtemp(join(tmpdir(), 'hopper-cases-'))
  const storage = await openEmbedded({ dir, lanes: 2 })
  const { log, registry, secrets, reader, writer, lanes, archive } = storage
  const app = {
    id: 'shop',
    name: 'Shop',
    write_key: keys.write,
    read_key: keys.read,
    funnels: [{ id: 'checkout', name: 'Checkout', stages: [{ id: 1, name: 'home', url: '/' }] }],
  }
  await provision(registry, { organizations: [{ id: 'acme', name: 'Acme', admin_key: keys.admin, apps: [app] }] })
  const health = (): ReturnType<typeof storage.health> => storage.health()
  const [logger, metrics] = [pino({ level: 'silent' }), new Registry()]
  const server = createServer(logger, 0)
  await server.register(ingestPlugin, { log, registry, secrets, health, metrics })
  const common = {
    log,
    registry,
    secrets,
    reader,
    writer,
    lanes,
    health,
    metrics,
    logger,
    mode: 'standalone',
    publicUrl: 'http://127.0.0.1',
  } as const
  const api = await createApi({ ...common, ...(archive ? { archive } : {}) }, server)
  await server.listen({ host: '127.0.0.1', port: 0 })
  url = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`
  closing.push(
    () => api.close(),
    () => storage.close(),
    () => rm(dir, { recursive: true }),
  )
}, 60_000)
afterAll(async () => {
  for (const close of closing) await close()
})

// streams do not end by themselves, and a logout ends the session
const EXCLUDED = '/(live|changes|export|logout|eventstream|database_events)$'
const checks = 'not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance'

async function cases(key: string, ...options: string[]): Promise<string> {
  const bounds = [
    '--checks',
    checks,
    '--max-examples',
    '8',
    '--max-time',
    '40',
    '--workers',
    '1',
    '--seed',
    '1',
    '--request-timeout',
    '20',
    '--no-color',
    '--generation-database',
    'none',
  ]
  const { stdout } = await run(
    tool!,
    ['run', `${url}/openapi.json`, '--url', url, '--header', `Authorization: Bearer ${key}`, ...bounds, ...options],
    {
      timeout: RUN_MS_MAX,
      maxBuffer: 64 * 1024 * 1024,
      cwd: tmpdir(),
    },
  ).catch((error: { stdout: string; message: string }) => ({ stdout: `FAILED ${error.message}\n${error.stdout}` }))
  return stdout
}

test.skipIf(tool === undefined)(
  'thousands of generated requests find no server error and no undocumented answer',
  { timeout: 2 * RUN_MS_MAX },
  async () => {
    const api = await cases(keys.admin, '--exclude-path-regex', EXCLUDED)
    expect(api).not.toMatch(/^FAILED/)
    const ingest = await cases(
      keys.write,
      '--include-path-regex',
      '^/(v1/|events?$|batch|e/|i/|capture|track|engage|flags|decide|array)',
    )
    expect(ingest).not.toMatch(/^FAILED/)
    console.log(
      `schemathesis: ${[api, ingest].map((text) => /(\d[\d,]*) generated/.exec(text)?.[0] ?? 'no count').join('; ')}`,
    )
  },
)
