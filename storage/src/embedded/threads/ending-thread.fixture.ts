import { serveReads } from './serve-reads.ts'

/** The reads of a thread that can be made to end without an error. */
export interface EndingReads {
  answer(): string
  end(): never
}

serveReads(() => ({ answer: () => 'answered', end: () => process.exit(0) }) satisfies EndingReads)
