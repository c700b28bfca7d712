import { serveReads } from './serve-reads.ts'
import { TableQueries } from './table-queries.ts'

serveReads((database) => new TableQueries(database))
