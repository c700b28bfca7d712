import { writeFileSync } from 'node:fs'
import { serialize } from 'node:v8'
import { buildDataset } from './dataset.ts'

/**
 * Builds the data set in a process of its own, so that what this takes is not counted as the engine's memory: ROWS DIR
 * FILE.
 */
const [rows, dir, file] = process.argv.slice(2) as [string, string, string]
writeFileSync(file, serialize(buildDataset(Number(rows), dir)))
