import type { PageRule } from './page-url.ts'

/**
 * Returns the source of a regular expression for the tracker. Its matches in an address, joined by commas, are what
 * distinguishes pages: origin and path without slashes at its end, the parameters that the app keeps, each with its
 * separator, and the route if the app routes by hash. It is the rule of `pageOf` on addresses as browsers write them;
 * two spellings of one page (`/%41` and `/A`, two orders of parameters) count as two here; ingest corrects that.
 */
export function trackedPage({ keep_parameters, hash_routing }: PageRule): string {
  const parts = ['^[^?#]*?(?=/*(?:[?#]|$))']
  const names = keep_parameters.map(spellingsOf).join('|')
  // a second "?" belongs to a value; a fragment that is not a route has no parameters
  const begin = `(?<!#${hash_routing ? '(?!!?/)' : ''}.*)(?:&|(?<!\\?[^#]*)\\?)`
  if (names !== '') parts.push(`${begin}(?:${names})=[^&#]*`)
  if (hash_routing) parts.push('(?<!#.*)#!?/[^?#]*[^?/#]')
  return parts.join('|')
}

/** Source of an expression for any text within a part of such a page. */
export const anyText = '(?:(?!,[?&#]).)*'
/** The same, which may continue from the path into the route, but not into a parameter. */
export const anyTextAndRoute = `${anyText}(?:(?:,[?&][^#]*)?,#${anyText})?`
/** Source of an expression for the end of a part. */
export const endOfPart = '(?=,[?&#]|$)'

/** A character that is an encoded separator, or any other. */
const unit = /%[0-9a-f]{2}|[^]/giu
/** Characters that browsers write as they are. */
const plain = /^[\w~/]$/
/** Characters that have a meaning in an expression. */
const special = /[\\^$.*+?()[\]{}|-]/g

/** Returns the source of an expression for the spellings of a decoded text in an address. */
export function spellingsOf(text: string): string {
  return text.replace(unit, (char) => {
    if (plain.test(char)) return char
    const literal = char.replace(special, '\\$&')
    if (char === '#') return '(?:,[?&].*)?,#'
    if (char.length === 3 && char.startsWith('%')) return anyCase(char)
    if (/^[.-]$/.test(char)) return literal
    return `(?:${literal}|${anyCase(percentEncoded(char))}${char === ' ' ? '|\\+' : ''})`
  })
}

/** The same for the value of a parameter, in which scripts also encode `/` and `~`. */
export function valueSpellingsOf(text: string): string {
  return spellingsOf(text).replace(/[~/]/g, (char) => `(?:${char}|${anyCase(percentEncoded(char))})`)
}

function percentEncoded(char: string): string {
  return Array.from(
    new TextEncoder().encode(char),
    (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
  ).join('')
}

function anyCase(encoded: string): string {
  return encoded.replace(/[A-F]/gi, (digit) => `[${digit.toUpperCase()}${digit.toLowerCase()}]`)
}
