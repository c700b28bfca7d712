import type { TableWriter } from '@hopper/storage'

/** A writer for which no lease ever runs out: the control of the fault test, in which an owner that was stopped goes on where it was. */
export function withoutLeaseCheck(writer: TableWriter): TableWriter {
  return {
    applied: (lane, partitions) => writer.applied(lane, partitions),
    firstPositions: (lane, partition, ids) => writer.firstPositions(lane, partition, ids),
    seenIds: (...asked) => writer.seenIds(...asked),
    identities: (...asked) => writer.identities(...asked),
    ...(writer.identifiedDevices && { identifiedDevices: (...asked) => writer.identifiedDevices!(...asked) }),
    apply: (lease, batch) => writer.apply({ ...lease, expiresAt: Infinity }, batch),
  }
}
