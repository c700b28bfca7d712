/**
 * Every event has exactly one fate, with a reason out of one closed list. `accepted` and `late` events are counted in
 * the tables (`historical`: accepted from an import, which would be late otherwise); `bot` events are kept but not
 * counted, so that a rule can be reversed; `duplicate` events repeat an earlier `event_id`; `rejected` events were
 * refused by ingest and named in its answer.
 */
export const fates = ['accepted', 'duplicate', 'bot', 'late', 'rejected'] as const
export type Fate = (typeof fates)[number]

/** Why ingest refuses an event. */
export const rejectReasons = {
  not_an_object: 'An event must be a JSON object.',
  unknown_type: 'The field "type" must be one of 0..5 or custom, click, url_change, btn_time, funnel_change, identify.',
  missing_field: 'A required field is missing.',
  invalid_field: 'A field has the wrong type or is out of its bounds.',
  too_large: 'The event is larger than the limit for one event.',
  too_old: 'The timestamp is before the year 2000; send milliseconds since the epoch.',
  too_far_ahead: 'The timestamp is more than a day in the future; check the clock that made it.',
  no_device: 'No device_id, neither in the event nor in the request.',
} as const
export type RejectReason = keyof typeof rejectReasons

/** Why an event is held to come from a machine. */
export const botReasons = ['user_agent', 'webdriver', 'no_user_agent'] as const
export type BotReason = (typeof botReasons)[number]

/**
 * Why a message of the log cannot be counted; it goes to the dead letters and its lane goes on. `invalid_envelope`: a
 * field of it, or of an event, is not what the schema says; `fold_failed`: its shape is right, and still no table can
 * take it.
 */
export const deadLetterReasons = [
  'undecodable',
  'unknown_version',
  'invalid_envelope',
  'unknown_app',
  'fold_failed',
] as const
export type DeadLetterReason = (typeof deadLetterReasons)[number]

/** The reason of a fate: a closed union, so that a metric label or a table key never grows beyond it. */
export type FateReason = 'new' | 'historical' | 'repeated_id' | 'after_settled' | BotReason | RejectReason
