import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = join(import.meta.dirname, '../migrations')

/**
 * A numbered change of the keyspace. `checksum` is the SHA-256 of the file in hex: an applied migration must never
 * change.
 */
export interface Migration {
  readonly number: number
  readonly name: string
  readonly checksum: string
  /** the unchanged content of the file, with its comments */
  readonly text: string
  readonly statements: readonly string[]
}

/** Loads the migrations in order. Throws when their numbers have a gap. */
export function loadMigrations(): readonly Migration[] {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.cql'))
    .sort()
  return files.map((file, index) => {
    const number = Number.parseInt(file, 10)
    if (number !== index + 1) throw new Error(`migration ${file} has the wrong number: expected ${index + 1}`)
    const text = readFileSync(join(folder, file), 'utf8')
    return {
      number,
      name: file.slice(0, -4),
      checksum: createHash('sha256').update(text).digest('hex'),
      text,
      statements: statementsOf(text),
    }
  })
}

/** Loads the statements that create the tables used by the migrations themselves. They can be applied repeatedly. */
export function loadBootstrap(): Pick<Migration, 'text' | 'statements'> {
  const text = readFileSync(join(folder, '../bootstrap.cql'), 'utf8')
  return { text, statements: statementsOf(text) }
}

function statementsOf(text: string): string[] {
  return text
    .replace(/^--.*$/gm, '')
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '')
}
