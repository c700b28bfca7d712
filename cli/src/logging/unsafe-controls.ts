import { decodeEnvelope, laneOf } from '@hopper/contracts'
import { withOverrides, type EventLog, type TableWriter } from '@hopper/storage'

/**
 * Returns a log that acknowledges messages before it has stored them: the control of the fault test in which the log is
 * unavailable.
 */
export function acknowledgingEarly(log: EventLog): EventLog {
  return withOverrides(log, {
    append: async (envelopes) => {
      log.append(envelopes).catch(() => undefined)
      return envelopes.map(({ app, device_id }) => ({ lane: laneOf(app, device_id, log.lanes), position: -1 }))
    },
  })
}

/**
 * Returns a log whose reader fails at a message that it cannot decode: the control of the fault test with poison
 * messages.
 */
export function failingAtPoison(log: EventLog): EventLog {
  return withOverrides(log, {
    subscribe: (consumer) =>
      log.subscribe(
        withOverrides(consumer, {
          batch: async (lane, messages, signal) => {
            for (const { value } of messages) decodeEnvelope(value)
            await consumer.batch(lane, messages, signal)
          },
        }),
      ),
  })
}

/**
 * Returns a writer that ignores expired leases: the control of the fault test in which a stopped owner continues where
 * it was.
 */
export function withoutLeaseCheck(writer: TableWriter): TableWriter {
  return withOverrides(writer, { apply: (lease, batch) => writer.apply({ ...lease, expiresAt: Infinity }, batch) })
}
