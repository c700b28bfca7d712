import { withOverrides, type TableWriter } from '@hopper/storage'

/**
 * Returns a writer that ignores expired leases: the control of the fault test in which a stopped owner continues where
 * it was.
 */
export function withoutLeaseCheck(writer: TableWriter): TableWriter {
  return withOverrides(writer, { apply: (lease, batch) => writer.apply({ ...lease, expiresAt: Infinity }, batch) })
}
