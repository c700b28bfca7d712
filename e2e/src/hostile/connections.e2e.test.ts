import { once } from 'node:events'
import { get } from 'node:http'
import { connect, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { afterEach, expect, it } from 'vitest'
import type { Installation } from '../installations/installation.ts'
import { standalone } from '../installations/standalone.ts'
import { until } from '../installations/until.ts'
import { longestDelay, residentMb } from './load-measurements.fixture.ts'

const DELAY_MS_MAX = 2_000
const CONNECTING = 100
const NEIGHBOURS_REQUESTS = 50
const REFUSED_MS_MAX = 20_000
/** Measured: 18 KB if it is idle, 32 KB with headers that do not end; so the default allows at most 320 MB. */
const CONNECTION_KB_MAX = 40
const write = 'hw_connections_0123456789abcdef'
const provision = {
  organizations: [{ id: 'o', name: 'O', apps: [{ id: 'a', name: 'A', timezone: 'UTC', write_key: write }] }],
}
/** An address of this machine that is not a loopback address, as others see it. */
const outside = Object.values(networkInterfaces())
  .flat()
  .find((each) => each?.family === 'IPv4' && !each.internal)?.address

let installation: Installation
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await installation.dispose()
})

async function start(env: Record<string, string>): Promise<void> {
  installation = await standalone({ provision, env: { HOPPER_LOG_LEVEL: 'warn', HOPPER_DEMO: 'false', ...env } })
  await installation.start()
}

/** Opens connections that send nothing, in batches that fit into the server's accept queue. */
async function open(count: number, host: string, localAddress: string): Promise<void> {
  const port = Number(new URL(installation.ingestUrl).port)
  const openOne = (): Promise<unknown> => {
    const socket = connect({ port, host, localAddress })
    sockets.push(socket.on('error', () => undefined))
    return Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => undefined)
  }
  for (let left = count; left > 0; left -= CONNECTING)
    await Promise.all(Array.from({ length: Math.min(left, CONNECTING) }, openOne))
}

const whenClosed = (count: number): Promise<void> =>
  until(() => sockets.filter(({ closed }) => closed).length >= count, REFUSED_MS_MAX)

/** Sends a request over a new connection; false if the connection is closed. */
const isServed = (): Promise<boolean> =>
  new Promise((resolve) => {
    get(`${installation.ingestUrl}/healthcheck`, { agent: false }, (answer) => {
      answer.resume()
      resolve(answer.statusCode === 200)
    }).on('error', () => resolve(false))
  })

const metricsText = async (): Promise<string> => (await fetch(`${installation.ingestUrl}/metrics`)).text()

it('one address of this machine gets three quarters of the connections, and delays nobody', async () => {
  await start({ HOPPER_CONNECTIONS: '400' })
  await open(1_000, '127.0.0.1', '127.0.0.2')
  await whenClosed(700)
  expect(await longestDelay(installation, write, NEIGHBOURS_REQUESTS)).toBeLessThan(DELAY_MS_MAX)
  expect(await metricsText()).toMatch(/hopper_connections_refused_total\{bound="address"\} 700/)
  expect(installation.output().match(/connections of one address are refused/g)).toHaveLength(1)
}, 60_000)

it.skipIf(outside === undefined)(
  'any other address holds one quarter, and delays nobody (needs an address that is not a loopback one)',
  async () => {
    await start({ HOPPER_CONNECTIONS: '400', HOPPER_HOST: '0.0.0.0' })
    await open(1_000, outside!, outside!)
    await whenClosed(900)
    expect(await longestDelay(installation, write, NEIGHBOURS_REQUESTS)).toBeLessThan(DELAY_MS_MAX)
    expect(installation.output()).not.toContain(outside)
  },
  60_000,
)

it('the control: where the share does not apply, the same flood keeps others out', async () => {
  await start({ HOPPER_CONNECTIONS: '400', HOPPER_TRUSTED_PROXIES: '1' })
  await open(1_000, '127.0.0.1', '127.0.0.2')
  await whenClosed(600)
  expect(await isServed()).toBe(false)
  for (const socket of sockets) socket.destroy()
  await until(isServed, REFUSED_MS_MAX)
}, 60_000)

it('the maximum number of connections takes little memory', async () => {
  await start({ HOPPER_CONNECTIONS: '5000', HOPPER_TRUSTED_PROXIES: '1' })
  const { pid } = installation.services[0]!
  await open(1_000, '127.0.0.1', '127.0.0.2')
  const before = residentMb(pid!)
  await open(5_000, '127.0.0.1', '127.0.0.2')
  await whenClosed(1_000)
  expect(residentMb(pid!) - before).toBeLessThan((4_000 * CONNECTION_KB_MAX) / 1_024)
}, 60_000)
