import { readFileSync } from 'node:fs'

const file = readFileSync(new URL('../package.json', import.meta.url), 'utf8')

/** The version of Hopper that answers. */
export const { version } = JSON.parse(file) as { version: string }
