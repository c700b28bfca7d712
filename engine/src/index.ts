export * from './chunk/chunk.ts'
export * from './chunk/chunk-rows.ts'
export * from './chunk/column-cache.ts'
export {
  CELL_BYTES_MAX,
  CHUNK_ROWS_MAX,
  encodeBuffer,
  encodeChunks,
  encodeColumns,
  encodeGroups,
  type SpanCover,
} from './chunk/encoding/encode-chunk.ts'
export * from './chunk/merge-chunks.ts'
export { installZstdLock, newZstdLock, terminateOutsideZstd } from './chunk/encoding/zstd-lock.ts'
export { RowBuffer } from './chunk/row-buffer.ts'
export type { RowColumns } from './chunk/row-columns.ts'
export { ValueTruths } from './filter/value-truths.ts'
export {
  columnsOfKey,
  DATA_PREFIX,
  isPersonKey,
  isPropertyKey,
  isTraitKey,
  PERSON_KEY,
  PROPERTY_PREFIX,
  TRAIT_PREFIX,
  USER_KEY,
  type NumberColumn,
} from './chunk/event-keys.ts'
export { comparePlaces, type EventPlace } from './people/event-place.ts'
export * from './people/people.ts'
export * from './people/persons-plan.ts'
export * from './people/persons-scan.ts'
export * from './people/property-facts.ts'
export { PropertyPlan } from './people/property-plan.ts'
export * from './people/traits.ts'
export { parseFilters, regexProblem } from './filter/parse-filters.ts'
export { type QueryContext } from './funnel/funnel-tally.ts'
export * from './funnel/scan/funnel-scan.ts'
export { type LaneInput } from './funnel/scan/unit-scan.ts'
export * from './scan/budget.ts'
export { spansOf, type Span } from './scan/device-cursor.ts'
export * from './scan/identities.ts'
export * from './scan/identity-facts.ts'
export * from './query/event-scan.ts'
export { EventPlan } from './query/event-plan.ts'
export { FunnelPlan } from './funnel/plan/funnel-plan.ts'
export * from './units/distinct-scan.ts'
export * from './units/elements-scan.ts'
export * from './units/hesitation-scan.ts'
export * from './units/hover-statistics.ts'
export * from './units/instead-scan.ts'
export * from './units/journeys/journey-people-scan.ts'
export * from './units/journeys/journey-scan.ts'
export * from './units/loss-scan.ts'
export * from './units/people/people-rows.ts'
export * from './units/people/people-scan.ts'
export * from './units/retention-scan.ts'
export * from './units/source-scan.ts'
export * from './funnel/plan/steps-of-funnel.ts'
export * from './export/encode-export.ts'
export { eventsOfChunk, type ExportedEvent, type ExportRange } from './export/exported-event.ts'
export { keysOfColumns } from './chunk/key-names.ts'
export * from './query/key-scan.ts'
export * from './query/value-scan.ts'
export * from './read/judged-rows.ts'
export * from './read/log-page.ts'
export * from './read/newest-rows.ts'
export * from './read/person-events.ts'
export * from './read/put-events.ts'
export * from './read/session-events.ts'
export { keyOf, restOf } from './chunk/device-order.ts'
