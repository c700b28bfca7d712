import { limits, personKey, type FunnelUnit } from '@hopper/contracts'
import { compareTimes } from './naive-people.ts'
import type { World } from './random-world.ts'

export type Row = World['rows'][number]

/** Groups events by person, device or session; the events of each group are in order. */
export function naiveUnits(world: World, rows: readonly Row[], unit: FunnelUnit): Map<string, Row[]> {
  const units = new Map<string, Row[]>()
  const before = new Map<string, { time: number; start: number }>()
  for (const row of [...rows].sort(compareTimes)) {
    let name: string = row.device_id
    if (unit === 'person')
      name = personKey({ user: row.user, device: row.device_id }, world.users.get(row.device_id)?.[0])
    if (unit === 'session') {
      const session = row.event.session_id
      const time = row.event.timestamp
      const last = before.get(row.device_id)
      const start = last && time - last.time < limits.sessionPauseMs ? last.start : time
      if (session === undefined) before.set(row.device_id, { time, start })
      name += `/${session ?? `@${start}`}`
    }
    units.set(name, [...(units.get(name) ?? []), row])
  }
  return units
}
