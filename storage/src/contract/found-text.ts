import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { zstdDecompressSync } from 'node:zlib'

const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd])

/**
 * Looks for a text in every file below a directory: byte for byte, in UTF-16, in whatever begins like a zstd frame
 * (also in free parts of a file), and in every value of every table of SQLite. Returns where it was found.
 */
export function findText(dir: string, text: string): string[] {
  const found: string[] = []
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const file = relative(dir, join(entry.parentPath, entry.name))
    const bytes = readFileSync(join(dir, file))
    if (hasText(bytes, text)) found.push(`${file}: plain`)
    for (let index = bytes.indexOf(ZSTD_MAGIC); index >= 0; index = bytes.indexOf(ZSTD_MAGIC, index + 1))
      if (hasText(unpacked(bytes.subarray(index)), text)) found.push(`${file}: packed at ${index}`)
    if (isDatabase(bytes) && file !== 'lock.db') found.push(...inTables(join(dir, file), text))
  }
  return found
}

/** The header of a database file of SQLite: https://sqlite.org/fileformat.html section 1.3. */
function isDatabase(bytes: Buffer): boolean {
  return bytes.subarray(0, 16).equals(Buffer.from('SQLite format 3\0'))
}

function inTables(file: string, text: string): string[] {
  const database = new DatabaseSync(file, { readOnly: true })
  const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all()
  const found = tables.flatMap(({ name }) =>
    database
      .prepare(`SELECT * FROM ${String(name)}`)
      .all()
      .flatMap((row) => Object.values(row))
      .filter((value) =>
        value instanceof Uint8Array ? hasText(unpacked(Buffer.from(value)), text) : String(value).includes(text),
      )
      .map(() => `${file}: table ${String(name)}`),
  )
  database.close()
  return found
}

function hasText(bytes: Buffer, text: string): boolean {
  return bytes.includes(text) || bytes.includes(Buffer.from(text, 'utf16le'))
}

function unpacked(bytes: Buffer): Buffer {
  if (!bytes.subarray(0, 4).equals(ZSTD_MAGIC)) return bytes
  try {
    return zstdDecompressSync(bytes)
  } catch {
    return Buffer.alloc(0)
  }
}
