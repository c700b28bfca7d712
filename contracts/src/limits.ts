/**
 * All limits of Hopper: the tracker obeys them, ingest rejects what exceeds them, the aggregator asserts them. A name
 * ends with its unit.
 */
export const limits = {
  /** bytes of a request body, both before and after decompression */
  bodyBytesMax: 1_000_000,
  /** bytes of a body of the dashboard API, which sends no events */
  apiBodyBytesMax: 65_536,
  eventsPerBatchMax: 1_000,
  eventBytesMax: 32_768,
  /** changes listed in one response, which also has their total number */
  changesNamedMax: 100,
  dataKeysMax: 64,
  dataKeyCharsMax: 128,
  dataValueCharsMax: 2_048,
  idCharsMax: 128,
  userIdCharsMax: 256,
  urlCharsMax: 2_048,
  xpathCharsMax: 1_024,
  nameCharsMax: 200,
  /** value of a campaign parameter */
  campaignCharsMax: 200,
  /** ISO 3166-2 code of a region, or its name */
  regionCharsMax: 100,
  /** BCP 47 tag of a language */
  languageCharsMax: 35,
  /** longest time between two events that the tracker reports; larger values are rejected as invalid */
  elapsedMsMax: 366 * 86_400_000,
  /** maximum time by which the timestamp of an event may be ahead of its receive time */
  aheadMsMax: 86_400_000,
  /** 2000-01-01T00:00:00Z: older events are rejected */
  timestampMsMin: 946_684_800_000,
  /** a client's clock is corrected when it differs from ours by more than this */
  clockSkewMsMax: 5_000,
  /** an event that arrives later than this after the end of its date is counted with the fate `late` */
  lateAfterMs: 7 * 86_400_000,
  /** devices of a user that are forgotten together */
  forgottenDevicesMax: 10_000,
  sessionPauseMs: 30 * 60_000,
  funnelsPerAppMax: 100,
  stagesPerFunnelMax: 50,
  elementsPerAppMax: 500,
  /** CSS selectors of one interesting element */
  fingerprintsPerElementMax: 5,
  fingerprintCharsMax: 300,
  /** XPaths that one element had, and targets that are not it */
  pastXPathsPerElementMax: 20,
  /** links of the picker that are open at the same time; another one ends the oldest */
  picksPerAppMax: 20,
  alertsPerAppMax: 50,
  /** e-mail addresses of one alert */
  alertRecipientsMax: 10,
  /** shared links that have not ended */
  sharedLinksPerAppMax: 100,
  /** longest time until a shared link ends */
  sharedDaysMax: 366,
  /** locked filters of a shared view */
  sharedFiltersMax: 20,
  /** sites that may show a shared view in a frame */
  sharedOriginsMax: 10,
  annotationsPerAppMax: 1_000,
  annotationCharsMax: 500,
  /** computed properties */
  propertiesPerAppMax: 50,
  /** URL parameters that an app keeps, including those used by its stages */
  keepParametersMax: 20,
  /** days that an app may keep events, when not forever */
  retentionDaysMax: 36_500,
  /** hosts that share devices by signed links */
  crossDomainsMax: 20,
  /** a host name and its port */
  hostCharsMax: 259,
  /** rules of an app about bots */
  botRulesMax: 20,
  botRuleCharsMax: 200,
  /** clicks, page changes and hovers of a session within a minute: no person reaches 17 a second for that long */
  actionsPerMinuteMax: 1_000,
  /** dates in one dashboard request */
  rangeDaysMax: 1_100,
  /** rows in one dashboard response; the rest is cut off and `meta.truncated` is set */
  answerRowsMax: 10_000,
  samplerateMax: 1_000_000,
  /** the most that one event with a samplerate can add to a sum of durations */
  sampledElapsedMsMax: 1_000_000_000_000,
} as const
