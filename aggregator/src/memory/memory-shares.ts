import { getHeapStatistics } from 'node:v8'
import { availableMemory } from './available-memory.ts'

const MB = 1_000_000
/** What a process takes before it counts anything: Node.js, the code, drivers and their buffers. */
const IDLE_BYTES = 200 * MB
const WORK_BYTES_MIN = 64 * MB
/** More than this makes nothing faster, so it is not taken unless somebody says so. */
const DEFAULT_BYTES_MAX = 512 * MB
/** Of what the machine or the container has. */
const DEFAULT_SHARE = 0.7
/** Memory that a byte of a message takes while it is folded: decoded events, rows of tables, statements. */
const BYTES_PER_MESSAGE_BYTE = 12

/** How the memory of an aggregator is divided, in bytes. */
export interface MemoryShares {
  /** of the whole process */
  readonly total: number
  /** events that wait for the archive, of all lanes */
  readonly rows: number
  /** messages that are being folded and written, of all lanes, as they stand in the log */
  readonly messages: number
  /** the same of apps that are deferred */
  readonly deferred: number
  /** messages of these apps that wait for their turns */
  readonly held: number
  /** filters of ids that were seen */
  readonly seen: number
  /** filters of devices that were identified */
  readonly identified: number
}

/**
 * What a process takes when nobody says how much: a part of what its machine or container has, and no more than its
 * heap allows.
 */
export function defaultMemoryBytes(
  available = availableMemory(),
  heapLimit = getHeapStatistics().heap_size_limit,
): number {
  return Math.floor(
    Math.max(IDLE_BYTES, Math.min(DEFAULT_BYTES_MAX, available * DEFAULT_SHARE, IDLE_BYTES / 2 + heapLimit)),
  )
}

export function memoryShares(total: number): MemoryShares {
  const work = Math.max(WORK_BYTES_MIN, total - IDLE_BYTES)
  // The rest is for a merge, which has a thread and bounds of its own.
  return {
    total,
    rows: Math.floor(work * 0.2),
    messages: Math.floor((work * 0.3) / BYTES_PER_MESSAGE_BYTE),
    deferred: Math.floor((work * 0.1) / BYTES_PER_MESSAGE_BYTE),
    held: Math.floor(work * 0.05),
    seen: Math.floor(work * 0.15),
    identified: Math.floor(work * 0.05),
  }
}

/** What of it the heap must hold: all but buffers outside of it and the process itself. */
export function heapNeeded(total: number): number {
  return Math.max(0, total - IDLE_BYTES / 2)
}
