import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Names of the files of a group that bounds memory, by the version of control groups. */
const versions = [
  { root: '/sys/fs/cgroup/memory', limit: 'memory.limit_in_bytes', kills: 'memory.oom_control' },
  { root: '/sys/fs/cgroup', limit: 'memory.max', kills: 'memory.events' },
] as const

/**
 * Starts processes within a bound of memory, as a container does: Linux kills what takes more. `start` makes them as
 * children of this process. Answers how many were killed so far, or undefined where this machine lets nobody bound
 * memory.
 * @see https://docs.kernel.org/admin-guide/cgroup-v1/memory.html
 */
export async function withMemoryLimit(bytes: number, start: () => Promise<void>): Promise<(() => number) | undefined> {
  const version = versions.find(({ root, limit }) => existsSync(join(root, limit)) || existsSync(join(root, 'init.scope', limit)))
  if (!version) return start().then(() => undefined)
  const { root, limit, kills } = version
  const group = join(root, `hopper-bench-${process.pid}-${performance.now().toFixed(0)}`)
  try {
    mkdirSync(group)
    writeFileSync(join(group, limit), String(bytes))
  } catch {
    return start().then(() => undefined)
  }
  // Children begin in the group of their parent.
  writeFileSync(join(group, 'cgroup.procs'), String(process.pid))
  try {
    await start()
  } finally {
    writeFileSync(join(root, 'cgroup.procs'), String(process.pid))
  }
  process.once('exit', () => rmdirSync(group))
  return () => Number(/oom_kill (\d+)/.exec(readFileSync(join(group, kills), 'utf8'))?.[1] ?? 0)
}
