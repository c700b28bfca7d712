export { ingestPlugin } from './http/plugin.ts'
export { type IngestOptions } from './options.ts'
export { redactedRequest } from './http/redacted-request.ts'
export { operationRoutes } from './routes/operation-routes.ts'
