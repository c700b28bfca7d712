import { getHeapStatistics } from 'node:v8'
import { availableMemory } from './available-memory.ts'

const MB = 1_000_000
/** Memory of an idle process: Node.js, the code, drivers and their buffers. */
const IDLE_BYTES = 200 * MB
const WORK_BYTES_MIN = 64 * MB
/** Upper bound of the default: more memory brings no speed, so it must be configured explicitly. */
const DEFAULT_BYTES_MAX = 512 * MB
/** Default share of the memory of the machine or the container. */
const DEFAULT_SHARE = 0.7
/** Memory per byte of a message while it is folded: decoded events, rows of tables, statements. */
const BYTES_PER_MESSAGE_BYTE = 12

/** Division of the memory of an aggregator, in bytes. */
export interface MemoryShares {
  /** memory of the whole process */
  readonly total: number
  /** events that wait for the archive, for all lanes */
  readonly rows: number
  /** messages that are being folded and written, as stored in the log, for all lanes */
  readonly messages: number
  /** the same for messages of deferred apps */
  readonly deferred: number
  /** messages of deferred apps that wait for their turns */
  readonly held: number
  /** filters of seen ids */
  readonly seen: number
  /** filters of identified devices */
  readonly identified: number
}

/**
 * Returns the default memory budget of a process: a share of the memory of its machine or container, and no more than
 * its heap allows.
 */
export function defaultMemoryBytes(
  available = availableMemory(),
  heapLimit = getHeapStatistics().heap_size_limit,
): number {
  return Math.floor(
    Math.max(IDLE_BYTES, Math.min(DEFAULT_BYTES_MAX, available * DEFAULT_SHARE, IDLE_BYTES / 2 + heapLimit)),
  )
}

/** Divides the memory of a process, less that of an idle one. */
export function memoryShares(total: number): MemoryShares {
  const work = Math.max(WORK_BYTES_MIN, total - IDLE_BYTES)
  // The rest is for a merge, which has its own thread and its own bounds.
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

/**
 * Returns the heap size that a memory budget needs: all of it except buffers outside of the heap and the process
 * itself.
 */
export function heapNeeded(total: number): number {
  return Math.max(0, total - IDLE_BYTES / 2)
}
