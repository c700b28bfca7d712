import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Status } from '@hopper/contracts'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { forEachInstallation } from '../installations/for-each-installation.ts'
import { getJson, whenCounted, type Installation } from '../installations/installation.ts'
import { sendUntilAcknowledged } from '../traffic/send-until-acknowledged.ts'
import { randomTraffic } from '../traffic/random-traffic.ts'
import { apps, provision } from './apps.fixture.ts'

const DEVICES = 40
const EVENTS_PER_DEVICE = 10
const EVENTS = DEVICES * EVENTS_PER_DEVICE
const BOUND_MS = 600_000
const admin = 'ha_clock_0123456789abcdef'
const { id, write, read } = apps.tested

/** Shifts the time of day that processes read, but no monotonic clock (https://github.com/wolfcw/libfaketime). */
const [library] = globSync('/usr/lib/*/faketime/libfaketimeMT.so.1')
const root = mkdtempSync(join(tmpdir(), 'hopper-clock-'))
const shiftFile = join(root, 'shift')
const env = {
  HOPPER_LOG_LEVEL: 'error',
  HOPPER_DEMO: 'false',
  LD_PRELOAD: library ?? '',
  FAKETIME_TIMESTAMP_FILE: shiftFile,
  FAKETIME_NO_CACHE: '1',
  FAKETIME_DONT_FAKE_MONOTONIC: '1',
}

/** Sets the time of day that every process of the installation reads, relative to that of this machine. */
const jump = (shift: '+0' | '+1d' | '-1d'): void => writeFileSync(shiftFile, shift)

let installation: Installation
beforeEach(() => jump('+0'))
afterEach(() => installation?.dispose())
afterAll(() => rmSync(root, { recursive: true }))

let seed = 0
/** Sends events of new devices, each request twice, until they are acknowledged. */
async function send(): Promise<void> {
  seed++
  const traffic = randomTraffic({ devices: DEVICES, eventsPerDevice: EVENTS_PER_DEVICE, seed, now: Date.now() })
  await Promise.all(
    traffic.map(async (requests, device) => {
      for (const request of requests) {
        const named = { ...request, device: `${seed}-${device}` }
        await sendUntilAcknowledged(installation.ingestUrl, write, named)
        await sendUntilAcknowledged(installation.ingestUrl, write, named)
      }
    }),
  )
}

/** Renames the app, and waits until it has that name. */
async function rename(name: string): Promise<void> {
  const answer = await fetch(`${installation.apiUrl}/api/v1/apps/${id}`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name }),
  })
  expect([answer.status, await answer.text()]).toEqual([200, expect.any(String)])
  const { apps: found } = await getJson<{ apps: { id: string; name: string }[] }>(installation, '/api/v1/apps', admin)
  expect(found.find((app) => app.id === id)?.name).toBe(name)
}

const restart = async (): Promise<void> => {
  expect(await installation.stop('SIGTERM')).toEqual([])
  await installation.start()
}

describe.skipIf(!library)('the time of day jumps by a day (needs libfaketime)', () => {
  forEachInstallation((open) => {
    it(
      'forwards, back, and behind, while it runs and between two starts: every event counts once',
      async () => {
        const [organization] = provision.organizations
        installation = await open({ provision: { organizations: [{ ...organization!, admin_key: admin }] }, env })
        await installation.start()
        const sent: string[] = []
        const phase = async (name: string): Promise<void> => {
          await send()
          await rename(name)
          await whenCounted(installation, read)
          sent.push(name)
        }
        await phase('on time')
        for (const shift of ['+1d', '+0', '-1d', '+0'] as const) {
          jump(shift)
          await phase(`${shift}, running`)
          await restart()
          await phase(`${shift}, started again`)
        }
        // the status has no day that is still to come
        jump('+1d')
        const { fates } = await getJson<Status>(installation, '/api/v1/status', read)
        const eventsOf = (...names: string[]): number =>
          fates.filter(({ fate }) => names.includes(fate)).reduce((sum, { events }) => sum + events, 0)
        expect({ once: eventsOf('accepted', 'late', 'bot'), again: eventsOf('duplicate') }).toEqual({
          once: sent.length * EVENTS,
          again: sent.length * EVENTS,
        })
        expect(eventsOf('rejected')).toBe(0)
        expect(await installation.stop('SIGTERM')).toEqual([])
        expect(await installation.run(['audit'])).toContain('No drift')
      },
      BOUND_MS,
    )
  })
})
