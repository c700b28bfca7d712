import { writeFileSync } from 'node:fs'
import { serialize } from 'node:v8'
import { buildDataset } from './dataset.ts'

/**
 * Builds the data set in a separate process, so that its memory does not count as the engine's. Arguments: ROWS DIR
 * FILE.
 */
const [rows, dir, file] = process.argv.slice(2) as [string, string, string]
writeFileSync(file, serialize(buildDataset(Number(rows), dir)))
