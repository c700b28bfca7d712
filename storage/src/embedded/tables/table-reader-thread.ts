import { serveReads } from '../threads/serve-reads.ts'
import { TableQueries } from './table-queries.ts'

serveReads((database) => new TableQueries(database))
