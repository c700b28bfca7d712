/**
 * Every bound of Hopper in one place: the tracker obeys them, ingest rejects over them, the aggregator asserts them.
 * Units stand last in a name.
 */
export const limits = {
  /** bytes of a request body, after decompression too */
  bodyBytesMax: 1_000_000,
  eventsPerBatchMax: 1_000,
  eventBytesMax: 32_768,
  /** changes that one answer names; it has their number too */
  changesNamedMax: 100,
  dataKeysMax: 64,
  dataKeyCharsMax: 128,
  dataValueCharsMax: 2_048,
  idCharsMax: 128,
  userIdCharsMax: 256,
  urlCharsMax: 2_048,
  xpathCharsMax: 1_024,
  nameCharsMax: 200,
  /** longest time between two events that the tracker reports; larger values are rejected as invalid */
  elapsedMsMax: 366 * 86_400_000,
  /** how far ahead of the time of receipt an event may claim to be */
  aheadMsMax: 86_400_000,
  /** 2000-01-01T00:00:00Z: nothing is older */
  timestampMsMin: 946_684_800_000,
  /** a client's clock is corrected when it differs from ours by more than this */
  clockSkewMsMax: 5_000,
  /** an event that arrives longer than this after its date has ended is counted with the fate `late` */
  lateAfterMs: 7 * 86_400_000,
  sessionPauseMs: 30 * 60_000,
  funnelsPerAppMax: 100,
  stagesPerFunnelMax: 50,
  elementsPerAppMax: 500,
  /** URL parameters that an app keeps, those included that its stages name */
  keepParametersMax: 20,
  /** dates in one dashboard request */
  rangeDaysMax: 1_100,
  /** rows in one dashboard answer; the rest is cut and `meta.truncated` says so */
  answerRowsMax: 10_000,
  samplerateMax: 1_000_000,
  /** what one event with a samplerate may add to a sum of durations */
  sampledElapsedMsMax: 1_000_000_000_000,
} as const
