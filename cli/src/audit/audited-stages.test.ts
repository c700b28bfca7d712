import { Aggregator } from '@hopper/aggregator'
import type { Envelope, Event } from '@hopper/contracts'
import { expect, it } from 'vitest'
import { makeInstallation } from '../testing/installation.fixture.ts'

const noon = Date.parse('2026-03-29T10:00:00Z')
const funnel = {
  id: 'f',
  name: 'F',
  stages: [
    { id: 1, name: 'home', url: '/' },
    { id: 2, name: 'cart', url: '/cart' },
    { id: 3, name: 'pay', click: '#pay' },
  ],
}

it('finds no drift in a funnel with a counted past, and repairs damage there', async () => {
  await using installation = await makeInstallation()
  const { storage } = installation
  const fields = [
    { type: 'url_change', from: '', to: 'https://s.example/', elapsed_time: 0 },
    { type: 'url_change', from: 'https://s.example/', to: 'https://s.example/cart', elapsed_time: 900 },
    { type: 'click', target: "//*[@id='pay']", elapsed_time: 5, current_url: 'https://s.example/cart' },
  ]
  const envelopes = Array.from({ length: 12 }, (_, device): Envelope => {
    const events = fields.slice(0, 1 + (device % 3)).map((each, seq) => {
      const timestamp = noon + device * 60_000 + seq * 1_000
      return { ...each, event_id: `${device}-${seq}`, timestamp, seq, session_id: `s${device}` } as Event
    })
    const context = { device: 'desktop', browser: 'Firefox', os: 'Linux' } as const
    return { version: 1, app: 'berlin', device_id: `d${device}`, received_at: noon, context, events }
  })
  await storage.log.append(envelopes)
  await installation.count()
  await storage.registry.funnels.put('berlin', 'f', funnel)
  const aggregator = new Aggregator({ ...storage, owner: 'backfill', archiveBacklogMs: 0, backfillCheckMs: 10 })
  await aggregator.start()
  const isDone = async (): Promise<boolean> => {
    const lanes = await storage.registry.backfills.list('berlin')
    return lanes.length === 2 && lanes.every(({ counted, groups }) => counted === groups.length)
  }
  while (!(await isDone())) await new Promise((next) => setTimeout(next, 50))
  await aggregator.close()
  const dates = ['2026-03-29']
  const times = await storage.reader.counters('stage_time_by_date', 'berlin', dates, ['f'])
  const entered = times.filter(({ key }) => Number(key[1]) > 0).map(({ key, counters }) => [key[1], ...counters])
  expect(entered).toEqual([
    [1, 8_000, 8],
    [2, 4_000, 4],
  ])
  expect(await installation.audit()).toEqual([])
  installation.tables.exec('UPDATE stage_time_by_date SET hit = hit + 1 WHERE stage = 1')
  installation.tables.exec('DELETE FROM stage_edges_by_date WHERE to_stage = 3')
  expect(new Set((await installation.audit({ repair: true })).map(({ drift }) => drift.table))).toEqual(
    new Set(['stage_time_by_date', 'stage_edges_by_date']),
  )
  expect(await installation.audit()).toEqual([])
})
