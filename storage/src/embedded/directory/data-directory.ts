import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { HopperError } from '@hopper/contracts'

const PROBE_BYTES = 4_096

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'the system makes no directory there',
  ENOTDIR: 'a part of the path, or the path itself, is not a directory',
  EEXIST: 'a part of the path, or the path itself, is not a directory',
  EACCES: 'this user has no right to write there',
  EPERM: 'this user has no right to write there',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of this user is used up',
  ENAMETOOLONG: 'the path is too long',
  ELOOP: 'its symbolic links go in circles',
  EIO: 'the disk has a fault',
}

const OTHERS = 0o077

/**
 * Creates a directory if it is missing, for its owner only, and checks that files in it can be written and synced. Each
 * part of the path is created separately, because Node's recursive `mkdir` never returns where the system cannot create
 * directories (`/proc`). `name` is the purpose of the directory, for the error message.
 * @throws HopperError HOP_CONFIG with the reason
 */
export function ensureDirectory(dir: string, name = 'data directory'): void {
  try {
    make(dir)
    probe(dir)
    keepToOwner(dir)
  } catch (cause) {
    const { code = '', message } = cause as NodeJS.ErrnoException
    throw new HopperError('HOP_CONFIG', `The ${name} ${dir} cannot be written: ${reasons[code] ?? message}.`, { cause })
  }
}

function make(dir: string): void {
  try {
    mkdirSync(dir, 0o700)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' || code === 'EISDIR' || code === 'EROFS') return assertDirectory(dir, error as Error)
    const parent = dirname(dir)
    if (code !== 'ENOENT' || parent === dir) throw error
    make(parent)
    mkdirSync(dir, 0o700)
  }
}

/**
 * Takes the rights of others away from a directory that an earlier version made. New files get none by the mask of the
 * process. One that belongs to somebody else, such as a shared volume, stays as it is.
 */
function keepToOwner(dir: string): void {
  const { mode, uid } = statSync(dir)
  if ((mode & OTHERS) !== 0 && uid === process.getuid?.()) chmodSync(dir, mode & 0o700)
}

function assertDirectory(dir: string, error: Error): void {
  if (!(statSync(dir, { throwIfNoEntry: false })?.isDirectory() ?? false)) throw error
}

/** Writes, syncs and removes a small file. Throws the system's error. */
export function probe(dir: string, bytes = PROBE_BYTES): void {
  const file = join(dir, `.probe-${process.pid}`)
  const descriptor = openSync(file, 'w', 0o600)
  try {
    if (writeSync(descriptor, Buffer.alloc(bytes)) < bytes)
      throw Object.assign(new Error('the disk is full'), { code: 'ENOSPC' })
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
    rmSync(file, { force: true })
  }
}
