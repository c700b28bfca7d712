export { derivedId } from './batch/derived-id.ts'
export { GeoDatabase, type Place } from './geo/geo-database.ts'
export { ingestPlugin } from './http/plugin.ts'
export {
  OfflineIntake,
  type OfflineBatch,
  type OfflineEvent,
  type OfflineRejection,
  type TakenOffline,
} from './offline-intake.ts'
export { type IngestOptions } from './options.ts'
export { redactedRequest } from './http/redacted-request.ts'
export { operationRoutes } from './routes/operation-routes.ts'
export { idText } from './translate/json-values.ts'
export { segmentEvent } from './translate/segment.ts'
export { posthogEvent } from './translate/posthog.ts'
export { type TranslatedEvent } from './batch/batch.ts'
export { firstPartyPath } from './tracker/first-party-path.ts'
export { TrackerScripts } from './tracker/tracker-scripts.ts'
export { Dropped, type Supplement } from './batch/incoming.ts'
