import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeAll, expect, it } from 'vitest'

const main = resolve(import.meta.dirname, '../../dist/main.js')
/** takes about a second on an idle machine; here only a start that never ends must be detected */
const REFUSED_MS = 20_000
const children: ChildProcess[] = []
const dirs: string[] = []

/** Runs the `hopper` command as a separate process. */
class Command {
  readonly child: ChildProcess
  output = ''
  #heard = (): void => undefined

  constructor(args: string[], env: Record<string, string> = {}) {
    this.child = spawn(process.execPath, [main, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.child.stdout, this.child.stderr])
      stream!.on('data', (chunk: Buffer) => this.#hear(chunk))
    this.child.on('close', () => this.#heard())
    children.push(this.child)
  }

  /** Resolves with the first group of the pattern in the output; rejects when the process ends without a match. */
  async says(pattern: RegExp): Promise<string> {
    for (let found; ;) {
      if ((found = pattern.exec(this.output))) return found[1] ?? found[0]
      if (this.child.exitCode !== null) throw new Error(`ended with ${this.child.exitCode}:\n${this.output}`)
      await new Promise<void>((resolve) => (this.#heard = resolve))
    }
  }

  #hear(chunk: Buffer): void {
    this.output += chunk.toString()
    this.#heard()
  }

  async end(signal?: NodeJS.Signals): Promise<number | null> {
    if (signal) this.child.kill(signal)
    if (this.child.exitCode === null) await once(this.child, 'close')
    return this.child.exitCode
  }
}

const directory = (): string => {
  const dir = mkdtempSync(join(tmpdir(), 'hopper-cli-'))
  dirs.push(dir)
  return dir
}
const start = (dir: string, ...args: string[]): Command => new Command(['start', '--port', '0', '--data', dir, ...args])
const ready = (command: Command): Promise<string> => command.says(/ready at (http:\S+)/)

beforeAll(() => {
  if (!existsSync(main)) throw new Error('cli is not built: run "npm run build" first')
})
afterEach(async () => {
  for (const child of children.splice(0))
    if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'close')
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true })
})

it('starts on an empty directory, logs the owner in once, serves shop and tracker, and exits with 0', async () => {
  const hopper = start(directory())
  const url = await ready(hopper)
  expect(await fetch(`${url}/healthcheck`).then((answer) => answer.text())).toBe('OK')

  const link = await hopper.says(/Dashboard +(http:\S+)/)
  expect(await (await fetch(link)).text()).toContain('<form method="post" action="/login">')
  const follow = (): Promise<Response> =>
    fetch(`${url}/login`, { method: 'POST', body: new URL(link).searchParams, redirect: 'manual' })
  const login = await follow()
  const cookie = login.headers
    .getSetCookie()
    .map((text) => text.split(';', 1)[0])
    .join('; ')
  expect((await fetch(`${url}/api/v1/me`, { headers: { cookie } })).status).toBe(200)
  expect((await fetch(`${url}/api/v1/me`)).status).toBe(401)
  expect((await follow()).headers.getSetCookie()).toEqual([])

  const shop = await fetch(`${url}/demo/`).then((answer) => answer.text())
  const key = /hw_[\w-]+/.exec(shop)?.[0]
  expect(shop).not.toContain('__HOPPER')
  expect((await fetch(`${url}/v1/config?key=${key}`)).status).toBe(200)
  expect((await fetch(`${url}/hopper.js`)).status).toBe(200)
  expect(await fetch(`${url}/metrics`).then((answer) => answer.text())).toMatch(
    /hopper_ingest_[\s\S]*hopper_aggregator_/,
  )
  expect(await hopper.end('SIGINT')).toBe(0)
}, 60_000)

it('restarts on the same directory with the same demo key, and refuses a second process there', async () => {
  const dir = directory()
  const first = start(dir)
  await ready(first)
  const second = start(dir)
  expect(await second.end()).toBe(2)
  expect(second.output).toContain('HOP_CONFIG')
  expect(await first.end('SIGTERM')).toBe(0)

  const again = start(dir)
  const url = await ready(again)
  expect((await fetch(`${url}/healthcheck`)).status).toBe(200)
  expect(again.output).not.toContain('New keys')
  expect(await again.end('SIGTERM')).toBe(0)
}, 60_000)

it('reports a used port, a file as directory, a bad provision file and bad settings on one line each', async () => {
  const dir = directory()
  const running = start(dir)
  const { port } = new URL(await ready(running))
  const file = join(dir, 'file.json')
  writeFileSync(file, '{"organizations": [{"id": "acme"')

  const attempts: [Command, RegExp][] = [
    [new Command(['start', '--port', port, '--data', directory()]), /HOP_CONFIG: .*another program listens/],
    [start(file), /HOP_CONFIG: .*cannot be written/],
    [start('/proc/nope'), /HOP_CONFIG: .*\/proc\/nope cannot be written/],
    [start('/dev/null/x'), /HOP_CONFIG: .*not a directory/],
    [start(directory(), '--provision', file), /HOP_CONFIG: .*file\.json/],
    [start(directory(), '--provision', join(dir, 'none.json')), /HOP_CONFIG: .*none\.json/],
    [
      start(directory(), '--geo', file),
      /HOP_CONFIG: .*file\.json of --geo cannot be used: it is not a file of the MaxMind/,
    ],
    [start(directory(), '--geo', join(dir, 'none.mmdb')), /HOP_CONFIG: .*none\.mmdb of --geo cannot be used: ENOENT/],
    [
      new Command(['start', '--port', 'x', '--lanes', '0'], { HOPPER_TRUSTED_PROXIES: 'perhaps' }),
      /HOP_CONFIG: (?=.*--port)(?=.*--lanes)(?=.*HOPPER_TRUSTED_PROXIES)/,
    ],
  ]
  for (const [command, message] of attempts) {
    expect(await command.end(), command.output).toBe(2)
    expect(command.output).toMatch(message)
  }
}, 60_000)

it('reports any other bad input on one line, quickly and with exit code 2', async () => {
  const dir = directory()
  const busy = createServer()
  await once(busy.listen(0, '127.0.0.1'), 'listening')
  const taken = ['--port', String((busy.address() as AddressInfo).port)]
  const unreachable = ['--kafka-brokers', '127.0.0.1:1', '--cassandra-contact-points', '127.0.0.1:1']
  const provision = (name: string, text: string): string[] => {
    const file = join(dir, name)
    writeFileSync(file, text)
    return ['start', '--port', '0', '--data', join(dir, 'data'), '--provision', file]
  }
  execFileSync('mkfifo', [join(dir, 'pipe')])
  symlinkSync(join(dir, 'loop'), join(dir, 'loop'))
  const attempts: [string[], RegExp][] = [
    [['api', ...taken, ...unreachable], /another program listens/],
    [['aggregator', ...taken, ...unreachable], /another program listens/],
    [['ingest', ...taken, ...unreachable, '--data', join(dir, 'ingest')], /another program listens/],
    [['start', '--host', '203.0.113.7', '--port', '0', '--data', join(dir, 'data')], /no such address/],
    [['start', '--host', '999.1.1.1', '--port', '0', '--data', join(dir, 'data')], /choose another --host/],
    [['start', '--data', join(dir, 'loop')], /symbolic links go in circles/],
    [['ingest', '--port', '0', ...unreachable, '--data', join(dir, 'pipe')], /pipe cannot be written/],
    [['api', '--cassandra-ca', join(dir, 'pipe'), '--port', '0', ...unreachable], /cannot be read as a certificate/],
    [
      ['api', '--port', '0', '--kafka-brokers', '127.0.0.1:1', '--cassandra-contact-points', '127.0.0.1:1,127.0.0.2:2'],
      /different ports/,
    ],
    [['api'], /HOPPER_KAFKA_BROKERS and HOPPER_CASSANDRA_CONTACT_POINTS/],
    [
      ['start', '--provision', join(dir, 'pipe'), '--port', '0', '--data', join(dir, 'data')],
      /provision file .*it is not a file/,
    ],
    [
      ['start', '--provision', '/dev/zero', '--port', '0', '--data', join(dir, 'data')],
      /provision file .*it is not a file/,
    ],
    [['start', '--provision', dir, '--port', '0', '--data', join(dir, 'data')], /provision file .*it is not a file/],
    ...[
      'null',
      '5',
      '[]',
      '"x"',
      '{"organizations":5}',
      '{"organizations":[null]}',
      '{"organizations":[{"id":""}]}',
      '{"organisations":[]}',
    ].map((text, index): [string[], RegExp] => [provision(`p${index}.json`, text), /hopper: HOP_/]),
    [['start', 'nonsense'], /too many arguments/],
    [['start', '--lane', '3'], /unknown option '--lane'/],
    [['begin'], /unknown command 'begin'/],
    [['audit', '--data', join(dir, 'none')], /no data directory of Hopper/],
    [['export', '--data', '/dev/null'], /hopper: HOP_CONFIG/],
  ]
  for (const [args, message] of attempts) {
    const started = performance.now()
    const command = new Command(args, { HOPPER_KAFKA_BROKERS: '', HOPPER_CASSANDRA_CONTACT_POINTS: '' })
    const code = await command.end()
    expect([args.join(' '), code, command.output.match(/\n {4}at /)]).toEqual([args.join(' '), 2, null])
    expect(command.output).toMatch(message)
    expect(performance.now() - started, args.join(' ')).toBeLessThan(REFUSED_MS)
  }
  busy.close()
}, 240_000)

it('refuses another number of lanes, and accepts spaces and non-ASCII letters in the directory', async () => {
  const dir = join(directory(), ' über größe 日本 \u{1F407} %20 "q"')
  const first = start(dir, '--lanes', '3')
  await ready(first)
  expect(await first.end('SIGTERM')).toBe(0)
  const other = start(dir, '--lanes', '4')
  expect(await other.end(), other.output).toBe(2)
  expect(other.output).toMatch(/HOP_CONFIG: .*lanes/)
}, 60_000)

it('ends on a signal at any moment of its start', async () => {
  for (const afterMs of [0, 50, 150, 300, 450, 600, 900]) {
    const hopper = start(directory())
    await new Promise((resolve) => setTimeout(resolve, afterMs))
    const started = performance.now()
    await hopper.end(afterMs % 100 === 0 ? 'SIGTERM' : 'SIGINT')
    expect(performance.now() - started, hopper.output).toBeLessThan(5_000)
    expect([0, null]).toContain(hopper.child.exitCode)
  }
}, 60_000)

it('applies a provision file at each start and never prints the keys in it', async () => {
  const dir = directory()
  const provision = join(directory(), 'hopper.json')
  const app = {
    id: 'shop',
    name: 'Shop',
    timezone: 'Europe/Berlin',
    write_key: 'hw_0123456789abcdef01',
    read_key: 'hr_0123456789abcdef01',
    funnels: [],
  }
  writeFileSync(
    provision,
    JSON.stringify({ organizations: [{ id: 'acme', name: 'Acme', admin_key: 'ha_0123456789abcdef01', apps: [app] }] }),
  )
  for (let time = 0; time < 2; time++) {
    const hopper = start(dir, '--provision', provision, '--demo', 'false')
    const url = await ready(hopper)
    const answer = await fetch(`${url}/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': app.write_key },
      body: JSON.stringify({ device_id: 'd', events: [{ type: 0, name: 'hello' }] }),
    })
    expect(await answer.json()).toEqual({ accepted: 1, rejected: [] })
    expect(
      (await fetch(`${url}/api/v1/apps/shop/traffic`, { headers: { authorization: `Bearer ${app.read_key}` } })).status,
    ).toBe(200)
    expect((await fetch(`${url}/demo/`)).status).toBe(404)
    expect(await hopper.end('SIGTERM')).toBe(0)
    expect(hopper.output).not.toMatch(/h[wra]_0123/)
  }
}, 60_000)

it('loads the demo traffic through the real ingest: accepted = sent - rejected', async () => {
  const dir = directory()
  const hopper = start(dir)
  const url = await ready(hopper)
  const load = new Command(['load', '--demo', '--url', url, '--data', dir, '--days', '5', '--visitors', '60'])
  expect(await load.end(), load.output).toBe(0)
  const [, sent, accepted, rejected] = /([\d,]+) events sent, ([\d,]+) accepted, ([\d,]+) rejected/
    .exec(load.output)!
    .map((text) => Number(text.replaceAll(',', '')))
  expect(sent).toBeGreaterThan(300)
  expect(accepted).toBe(sent! - rejected!)
  expect(rejected).toBe(0)
  expect(await hopper.end('SIGINT')).toBe(0)
}, 90_000)
