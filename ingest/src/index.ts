export { ingestPlugin } from './plugin.ts'
export { type IngestOptions } from './options.ts'
export { redactedRequest } from './redacted-request.ts'
export { operationRoutes } from './routes/operation-routes.ts'
