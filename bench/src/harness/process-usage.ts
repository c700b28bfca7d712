import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

/** number of clock ticks per second in which Linux counts CPU time */
const TICKS_PER_SECOND = 100
const LISTENING = '0A'
const SAMPLING_MS = 300
const IDLE_SHARE = 0.1
const IDLE_WAIT_MS_MAX = 30_000

/**
 * Returns the process of this machine that listens on a port (`host:port`); undefined when there is none, or when it
 * may not be inspected. Linux only.
 */
export function processOn(address: string): number | undefined {
  const port = Number(address.split(':').at(-1)).toString(16).toUpperCase().padStart(4, '0')
  const sockets = ['tcp', 'tcp6']
    .flatMap((file) => linesOf(`/proc/net/${file}`))
    .map((line) => line.trim().split(/\s+/))
  const inode = sockets.find(([, local, , state]) => state === LISTENING && local?.endsWith(`:${port}`))?.[9]
  return inode === undefined
    ? undefined
    : readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .map(Number)
        .find((pid) => holds(pid, `socket:[${inode}]`))
}

/** Returns the CPU time that a process has used, in us; 0 for an unknown process. */
export function cpuOf(pid: number | undefined): number {
  if (pid === undefined) return 0
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND) * 1e6
}

/** Returns the high-water mark of a process's resident memory. */
export function peakMegabytesOf(pid: number): number {
  return megabytesIn(readFileSync(`/proc/${pid}/status`, 'utf8'), 'VmHWM')
}

/** Returns a process's resident memory; undefined when it has ended. */
export function megabytesOf(pid: number): number | undefined {
  const status = linesOf(`/proc/${pid}/status`).join('\n')
  // a process that has ended and was not waited for has no memory
  return status.includes('VmRSS:') ? megabytesIn(status, 'VmRSS') : undefined
}

function megabytesIn(status: string, field: 'VmHWM' | 'VmRSS'): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)![1]) / 1_024
}

function holds(pid: number, socket: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`) === socket
      } catch {
        return false
      }
    })
  } catch {
    return false
  }
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n')
  } catch {
    return []
  }
}

/** Resolves when a process uses less than a tenth of a core, or after half a minute. */
export async function whenIdle(pid: number | undefined): Promise<void> {
  for (const end = performance.now() + IDLE_WAIT_MS_MAX; performance.now() < end;) {
    const before = cpuOf(pid)
    await pause(SAMPLING_MS)
    if ((cpuOf(pid) - before) / 1_000 < SAMPLING_MS * IDLE_SHARE) return
  }
}
