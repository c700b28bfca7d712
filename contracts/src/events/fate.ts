/**
 * Fates of an event: every event has exactly one, with a reason from one closed list.
 * - `accepted` and `late` events are counted in the tables (`historical`: accepted from an import, otherwise late).
 * - `bot` events are stored but not counted, so that a bot rule can be reversed.
 * - `duplicate` events repeat an earlier `event_id`.
 * - `rejected` events were rejected by ingest and reported in its response, or are older than the app keeps events.
 */
export const fates = ['accepted', 'duplicate', 'bot', 'late', 'rejected'] as const
export type Fate = (typeof fates)[number]

/** Reasons for which an event is rejected: by ingest or, if `expired`, also later when it is counted. */
export const rejectReasons = {
  not_an_object: 'An event must be a JSON object.',
  unknown_type: 'The field "type" must be one of 0..5 or custom, click, url_change, btn_time, funnel_change, identify.',
  missing_field: 'A required field is missing.',
  invalid_field: 'A field has the wrong type or is out of its bounds.',
  too_large: 'The event is larger than the limit for one event.',
  too_old: 'The timestamp is before the year 2000; send milliseconds since the epoch.',
  too_far_ahead: 'The timestamp is more than a day in the future; check the clock that made it.',
  expired: 'The event is older than the app keeps events (retention_days).',
  no_device: 'No device_id, neither in the event nor in the request.',
} as const
export type RejectReason = keyof typeof rejectReasons

/**
 * Reasons for which an event is classified as sent by a bot: a rule of the app; what ingest has seen of the request
 * (its user agent, a program that drives the browser, no user agent, a browser without a window, a browser without a
 * language); or more actions in a minute than a person can do. Of several reasons of one session, the first is given.
 */
export const botReasons = [
  'app_rule',
  'user_agent',
  'webdriver',
  'no_user_agent',
  'headless',
  'no_language',
  'rate',
] as const
export type BotReason = (typeof botReasons)[number]

/**
 * Verdict of ingest on a sender, regardless of the rest of its session: the reason why it is considered a bot, `human`
 * if a rule of the app says so, or `none`.
 */
export const botSigns = [...botReasons, 'human', 'none'] as const
export type BotSign = (typeof botSigns)[number]

/**
 * Reasons for which a log message cannot be counted. It becomes a dead letter and its lane continues.
 * `invalid_envelope`: a field of the message or of one of its events violates the schema. `fold_failed`: the shape is
 * valid, but the tables cannot fold it.
 */
export const deadLetterReasons = [
  'undecodable',
  'unknown_version',
  'invalid_envelope',
  'unknown_app',
  'fold_failed',
] as const
export type DeadLetterReason = (typeof deadLetterReasons)[number]

/** The reason of a fate. A closed union bounds the cardinality of metric labels and table keys. */
export type FateReason = 'new' | 'historical' | 'repeated_id' | 'after_settled' | BotReason | RejectReason
