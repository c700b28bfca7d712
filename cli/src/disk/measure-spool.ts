import { statfs } from 'node:fs/promises'
import type { DiskUse } from '@hopper/contracts'

/** Measures what the spool of an ingest process takes, and how much of its disk is free. */
export async function measureSpool(dir: string, spooledBytes: number): Promise<DiskUse> {
  const { bsize, blocks, bavail } = await statfs(dir)
  return { parts: [{ part: 'spool', bytes: spooledBytes }], free: bsize * bavail, size: bsize * blocks }
}
