import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** File names of a control group with a memory limit, by the version of control groups. */
const versions = [
  { root: '/sys/fs/cgroup/memory', limit: 'memory.limit_in_bytes', kills: 'memory.oom_control' },
  { root: '/sys/fs/cgroup', limit: 'memory.max', kills: 'memory.events' },
] as const

/** A memory limit around processes. */
export interface MemoryLimit {
  /** returns how many of them have been killed so far */
  kills(): number
  /** Removes the group; call it when all of them have ended. */
  remove(): void
}

/**
 * Starts processes within a memory limit, as a container does: Linux kills processes that exceed it. `start` creates
 * them as children of this process. Returns undefined, and starts them without a limit, where this machine does not
 * permit one.
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

/** Creates a group; undefined without memory control groups, or without the permission to create one. */
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
      // The machine has the other version of cgroups, or none.
    }
  }
  return undefined
}
