/** Reports that are answered from the tables, by their path below the app. */
export const countedReports = [
  'agents',
  'clicks',
  'elements/actions',
  'elements/durations',
  'elements/twins',
  'pages/views',
  'stages/conversion',
  'stages/graph',
  'stages/time',
  'stages/users',
  'traffic',
] as const

/** Reports that are answered from the archive, which may have an event some seconds later than the tables. */
export const archivedReports = [
  'elements/query',
  'events',
  'funnels/query',
  'hesitation/query',
  'instead/query',
  'journeys',
  'journeys/people',
  'keys',
  'loss',
  'people/query',
  'persons',
  'query',
  'retention/query',
  'sources',
] as const

/** Everything that `GET changes` can say has changed. */
export const reports = [...countedReports, ...archivedReports] as const
