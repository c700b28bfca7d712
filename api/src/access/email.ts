/**
 * ASCII only: addresses with look-alike letters, or with letters that a change of case alters, would belong to other
 * people.
 */
export const EMAIL_PATTERN = "^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,189}$"
export const EMAIL_CHARS_MAX = 254

const email = new RegExp(EMAIL_PATTERN)

/** Returns an e-mail address in the form in which addresses are stored and compared; undefined for other values. */
export function comparableEmail(value: unknown): string | undefined {
  return typeof value === 'string' && value.length <= EMAIL_CHARS_MAX && email.test(value)
    ? value.toLowerCase()
    : undefined
}
