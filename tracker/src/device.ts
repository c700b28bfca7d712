import { randomId } from './random-id.ts'
import { load, local, save } from './stored.ts'

const pauseMs = 30 * 60_000

/** The device's id, its session with the `seq` of the last event, and the time of that event. All tabs share them. */
interface Device {
  d: string
  s?: { session_id: string; seq: number }
  t?: number
}
export let device: Device = { d: randomId() }

/** Returns the session of an event at this time, and its `seq`. A session ends with a pause of 30 minutes. */
export const nextInSession = (now: number): Device['s'] => {
  device = load(local, device)
  device.s = now - device.t! < pauseMs ? { ...device.s!, seq: device.s!.seq + 1 } : { session_id: randomId(), seq: 0 }
  device.t = now
  save(local, device)
  return device.s
}
