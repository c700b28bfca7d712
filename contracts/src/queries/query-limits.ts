/** Limits of a query; exceeding one is an error. A name ends with its unit. */
export const queryLimits = {
  stepsMax: 100,
  excludesMax: 20,
  matchKeysMax: 8,
  filtersMax: 100,
  /** filters in one query, nested ones included */
  filtersTotalMax: 2_000,
  filterDepthMax: 8,
  filterValuesMax: 1_000,
  keyCharsMax: 200,
  valueCharsMax: 2_048,
  regexCharsMax: 500,
  regexesMax: 50,
  windowMsMax: 366 * 86_400_000,
  rangeMsMax: 1_100 * 86_400_000,
  trendBucketsMax: 1_100,
  breakdownValuesMax: 1_000,
  peopleMax: 100_000,
  /** rows of one page of people */
  peopleRowsMax: 1_000,
  /** elements of one answer */
  elementsMax: 500,
  setsMax: 20,
  uniqueKeysMax: 20,
  /** events of one set of an exact_order funnel */
  funnelEventsMax: 5_000_000,
  eventsMax: 1_000,
  journeyDepthMax: 20,
  journeyLinksMax: 1_000,
  journeyGroupsMax: 100,
  cohortsMax: 366,
} as const
