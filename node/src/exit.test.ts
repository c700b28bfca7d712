import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { keys } from '@hopper/ingest/ingest-server.fixture'
import { expect, it } from 'vitest'
import { openUnsteady, type UnsteadyServer } from './unsteady-server.fixture.ts'

interface Ended {
  readonly code: number | null
  readonly signal: string | null
  readonly output: string
}

/** Runs a host that makes a client with these options and then does `body`; `ready` is called when it has printed. */
function host(server: UnsteadyServer, options: object, body: string, ready?: (pid: number) => void): Promise<Ended> {
  const client = JSON.stringify({ apiKey: keys.write, endpoint: server.endpoint, ...options })
  const source = `import { Hopper } from ${JSON.stringify(join(import.meta.dirname, 'index.ts'))}
    const lost = (error) => console.log(error.code, error.events)
    const client = new Hopper({ ...${client}, onError: lost })
    const event = { name: 'n', anonymousId: 'd' }
    ${body}`
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '--eval', source])
  let output = ''
  child.stdout.on('data', (text: Buffer) => {
    output += text.toString()
    ready?.(child.pid!)
    ready = undefined
  })
  child.stderr.on('data', (text: Buffer) => void (output += text.toString()))
  return new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal, output })))
}

it('delivers queued events when the host has nothing left to do', async () => {
  await using server = await openUnsteady()
  const ended = await host(server, { flushIntervalMs: 600_000 }, 'for (let n = 0; n < 250; n++) client.track(event)')
  expect(ended).toEqual({ code: 0, signal: null, output: '' })
  expect(await server.fates()).toEqual({ accepted: 250 })
})

it('delivers an event that a host tracks in each `beforeExit`, and still lets the host exit', async () => {
  await using server = await openUnsteady()
  const ended = await host(server, {}, `process.on('beforeExit', () => client.track(event))`)
  expect(ended).toEqual({ code: 0, signal: null, output: 'closed 1\n' })
  expect(await server.fates()).toEqual({ accepted: 1 })
})

it('lets a host end in bounded time when Hopper never answers, and says what is lost', async () => {
  await using server = await openUnsteady(() => 'silent')
  const ended = await host(server, { closeTimeoutMs: 100, requestTimeoutMs: 600_000 }, 'client.track(event)')
  expect(ended).toEqual({ code: 0, signal: null, output: 'closed 1\n' })
})

it('delivers on SIGTERM, by option, and then ends the host as the signal does', async () => {
  await using server = await openUnsteady()
  const ended = await host(
    server,
    { flushIntervalMs: 600_000, flushOnSigterm: true },
    `client.track(event); setInterval(() => {}, 1_000); console.log('ready')`,
    (pid) => process.kill(pid, 'SIGTERM'),
  )
  expect(ended).toEqual({ code: null, signal: 'SIGTERM', output: 'ready\n' })
  expect(await server.fates()).toEqual({ accepted: 1 })
})

it('leaves the end to a host that handles SIGTERM itself', async () => {
  await using server = await openUnsteady()
  const ended = await host(
    server,
    { flushIntervalMs: 600_000, flushOnSigterm: true },
    `client.track(event); const timer = setInterval(() => {}, 1_000)
     process.on('SIGTERM', async () => { await client.close(); clearInterval(timer); process.exitCode = 7 })
     console.log('ready')`,
    (pid) => process.kill(pid, 'SIGTERM'),
  )
  expect(ended).toEqual({ code: 7, signal: null, output: 'ready\n' })
  expect(await server.fates()).toEqual({ accepted: 1 })
})
