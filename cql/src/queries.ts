import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = join(import.meta.dirname, '../queries')

/** Loads every named query by `file.name`, such as `stage-time-by-date.add`. */
export function loadQueries(): ReadonlyMap<string, string> {
  const queries = new Map<string, string>()
  for (const file of readdirSync(folder)
    .filter((name) => name.endsWith('.cql'))
    .sort()) {
    for (const [name, text] of parseQueries(readFileSync(join(folder, file), 'utf8')))
      queries.set(`${file.slice(0, -4)}.${name}`, text)
  }
  return queries
}

/**
 * Parses a file of queries. Each begins with a line `-- name: NAME` and ends with a semicolon; all other comments are
 * ignored.
 */
export function parseQueries(text: string): [name: string, query: string][] {
  return text
    .split(/^-- name: */m)
    .slice(1)
    .map((part) => {
      const [name, ...lines] = part.split('\n')
      const query = lines
        .filter((line) => !line.startsWith('--'))
        .join('\n')
        .trim()
      if (!name || !query.endsWith(';')) throw new Error(`query "${name}" has no name or no end`)
      return [name.trim(), query.slice(0, -1)]
    })
}
