import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Names of the files of a group that bounds memory, by the version of control groups. */
const versions = [
  { root: '/sys/fs/cgroup/memory', limit: 'memory.limit_in_bytes', kills: 'memory.oom_control' },
  { root: '/sys/fs/cgroup', limit: 'memory.max', kills: 'memory.events' },
] as const

/** A bound of memory around processes. */
export interface MemoryLimit {
  /** how many of them were killed so far */
  kills(): number
  /** To be called when all of them have ended. */
  remove(): void
}

/**
 * Starts processes within a bound of memory, as a container does: Linux kills what takes more. `start` makes them as
 * children of this process. Answers undefined where this machine lets nobody bound memory; they have none then.
 * @see https://docs.kernel.org/admin-guide/cgroup-v1/memory.html
 */
export async function withMemoryLimit(bytes: number, start: () => Promise<void>): Promise<MemoryLimit | undefined> {
  const group = makeGroup(bytes)
  if (!group) return start().then(() => undefined)
  const { root, dir, kills } = group
  // Children begin in the group of their parent.
  writeFileSync(join(dir, 'cgroup.procs'), String(process.pid))
  try {
    await start()
  } finally {
    writeFileSync(join(root, 'cgroup.procs'), String(process.pid))
  }
  return {
    kills: () => Number(/oom_kill (\d+)/.exec(readFileSync(join(dir, kills), 'utf8'))?.[1] ?? 0),
    remove: () => rmdirSync(dir),
  }
}

/** Undefined without control groups of memory, or without the right to make one. */
function makeGroup(bytes: number): { root: string; dir: string; kills: string } | undefined {
  for (const { root, limit, kills } of versions) {
    const dir = join(root, `hopper-bench-${process.pid}-${performance.now().toFixed(0)}`)
    try {
      mkdirSync(dir)
      if (existsSync(join(dir, 'cgroup.procs'))) {
        writeFileSync(join(dir, limit), String(bytes))
        return { root, dir, kills }
      }
      rmdirSync(dir)
    } catch {
      // The other version, or none.
    }
  }
  return undefined
}
