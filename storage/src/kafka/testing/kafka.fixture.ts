import { randomBytes } from 'node:crypto'
import { decodeEnvelope, laneOf, type Envelope } from '@hopper/contracts'
import { inject } from 'vitest'
import '../../contract/engines.ts'
import type { EventLog } from '../../ports/event-log.ts'
import { KafkaEventLog } from '../kafka.ts'
import { kafkaDefaults, type KafkaSettings } from '../settings.ts'

/** The Kafka of this run; undefined if it has none. */
export const broker = inject('engines')?.kafka

/** Settings with a topic and a group for one test. */
export function freshSettings(changed: Partial<KafkaSettings> = {}): KafkaSettings {
  const name = `hopper-test-${randomBytes(6).toString('hex')}`
  return { ...kafkaDefaults, brokers: [broker ?? ''], topic: name, group: name, lanes: 4, ...changed }
}

/** An envelope without events; `received_at` is its number. */
export function numbered(device_id: string, received_at: number, app = 'test'): Envelope {
  return { version: 1, app, device_id, received_at, context: { device: 'unknown', browser: '', os: '' }, events: [] }
}

/** Finds a device whose lane is `lane`. */
export function deviceIn(lane: number, lanes: number, app = 'test'): string {
  for (let index = 0; ; index++) if (laneOf(app, `d${index}`, lanes) === lane) return `d${index}`
}

/** Everything that a log contains, by lane, in order of position. */
export async function everything(log: EventLog): Promise<Envelope[][]> {
  const ends = await log.ends()
  return Promise.all(
    ends.map(async (end, lane) => (await log.read(lane, 0, end)).map(({ value }) => decodeEnvelope(value))),
  )
}

/** Opens a connected log, closed at the end of the block. */
export async function openKafka(settings: KafkaSettings): Promise<KafkaEventLog & AsyncDisposable> {
  return disposable(await new KafkaEventLog(settings).connect())
}

/** Makes a log that is not connected yet disposable: closed at the end of the block. */
export function disposable(log: KafkaEventLog): KafkaEventLog & AsyncDisposable {
  return Object.assign(log, { [Symbol.asyncDispose]: () => log.close() })
}
