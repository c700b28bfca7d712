const names = new Intl.DisplayNames('en', { type: 'region', fallback: 'code' })
const CODE = /^[A-Z]{2}$/

/** Returns the English name of a country by its ISO 3166-1 code; any other text as it is. */
export function countryName(code: string): string {
  return CODE.test(code) ? names.of(code)! : code
}
