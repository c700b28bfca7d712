import { limits } from '../limits.ts'

/**
 * Changes that ingest makes to an event that it accepts but cannot store exactly as sent. The response identifies each
 * change by the index of the event and the path of the field.
 */
export const changeReasons = {
  unknown_field: 'The schema has no such field; it was left out.',
  null_value: 'A null contains no value; it was left out.',
  empty: 'An empty text is not a valid id or key; it was left out.',
  wrong_type: 'The field cannot have such a value; it was left out.',
  out_of_range: 'The number is out of the bounds of its field; it was left out, and a duration counts as 0.',
  made_text: 'The field is a text: a number is written as one, a list as JSON.',
  made_number: 'The field is a number: the text was read as one.',
  rounded: 'The field is a whole number: the fraction was rounded.',
  flattened: 'An object in data was flattened: its keys are beside the others, as "outer.inner".',
  shortened: 'The text was cut to the longest that its field takes.',
  hashed: 'The id is too long or not valid Unicode; it was replaced by its hash, which is always the same.',
  key_taken: 'Another value of data has this key already; this one was left out.',
  too_many_keys: `Data keeps its first ${limits.dataKeysMax} keys; this one was left out.`,
  utc_assumed: 'The time has no time zone; it was read as UTC.',
  cookieless: 'In a cookieless request ingest derives device and session; what was sent was left out.',
  not_unicode: 'Half a surrogate pair is not a character; it was replaced by U+FFFD.',
} as const
export type ChangeReason = keyof typeof changeReasons
