import { ArchiveQueries } from './archive-queries.ts'
import { serveReads } from './serve-reads.ts'

serveReads((database) => new ArchiveQueries(database))
