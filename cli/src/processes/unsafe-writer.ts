import { withOverrides, type TableWriter } from '@hopper/storage'

/**
 * A writer for which no lease ever runs out: the control of the fault test, in which an owner that was stopped goes on
 * where it was.
 */
export function withoutLeaseCheck(writer: TableWriter): TableWriter {
  return withOverrides(writer, { apply: (lease, batch) => writer.apply({ ...lease, expiresAt: Infinity }, batch) })
}
