import { ArchiveQueries } from './archive-queries.ts'
import { serveReads } from '../threads/serve-reads.ts'

serveReads((database) => new ArchiveQueries(database))
