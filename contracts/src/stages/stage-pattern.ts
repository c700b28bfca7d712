import type { Stage } from '../app.ts'
import { decodePath, decodeText, queryValues, withoutTrailingSlash, type PageRule } from './page-url.ts'
import { anyText, anyTextAndRoute, endOfPart, spellingsOf, valueSpellingsOf } from './tracked-page.ts'

/**
 * The pattern of a URL stage. `*` matches any run of characters. A pattern that begins with http is compared with the
 * whole address of a page, any other with its path; `#/route` is compared with the route in an app that routes by hash.
 * Parameters in the pattern must be present with these values; other parameters are allowed. A trailing slash makes no
 * difference: `/products/` matches the page `/products`. `/products/*` matches pages below it but not `/products`
 * itself; `/products*` matches both.
 */
export class StagePattern {
  /** the parameters that the pattern requires: an app with such a stage keeps them */
  readonly parameters: readonly string[]
  readonly #whole: boolean
  readonly #alternatives: readonly Pieces[]
  readonly #query: SplitPattern['query']
  readonly #globs: readonly Glob[]
  readonly #values: readonly (readonly [name: string, value: Glob | undefined])[]

  /** Compiles any text; `patternProblem` reports whether a page can ever match. */
  constructor(pattern: string) {
    const { address, query, route } = split(pattern)
    this.#whole = isWholeAddress(pattern)
    const pieces = [
      ...addressPieces(address, this.#whole),
      ...(route === undefined ? [] : ['#', ...routePieces(route)]),
    ]
    this.#alternatives = alternatives(joinLiterals(pieces))
    this.#query = query
    this.#globs = this.#alternatives.map(globOf)
    this.#values = query.map(([name, value]) => [
      decodeText(name),
      value === undefined ? undefined : globOf(valuePieces(value)),
    ])
    this.parameters = this.#values.map(([name]) => name)
  }

  /** Returns whether a page matches, given its address as returned by `pageUrlOf`. */
  matches(pageUrl: string): boolean {
    const [, scheme = '', host = '', path = '', query = '', route = '', routeQuery = ''] =
      pageAddress.exec(pageUrl) ?? []
    if (path === '') return false
    const subject = `${this.#whole ? scheme + host : ''}${path}${route === '' ? '' : `#${route}`}`
    if (!this.#globs.some((fits) => fits(subject))) return false
    if (this.#values.length === 0) return true
    const [values, routeValues] = [queryValues(query), queryValues(routeQuery)]
    return this.#values.every(([name, fits]) => {
      const value = values.get(name) ?? routeValues.get(name)
      return value !== undefined && (fits === undefined || fits(value))
    })
  }

  /** See `trackedPattern`. */
  trackedSource(hashRouting: boolean): string {
    const parameters = this.#query.map(([name, value]) => {
      const wanted = value === undefined ? anyText : sourceOf(valuePieces(value), anyText, valueSpellingsOf)
      return `(?=.*,[?&]${spellingsOf(decodeText(name))}=${wanted}${endOfPart})`
    })
    const globs = this.#alternatives.map((pieces) => {
      const first = typeof pieces[0] === 'string' ? pieces[0] : ''
      // the tracker's address of a root page has no slash at its end
      const [, origin = '', path = first] = this.#whole ? (/^(https?:\/\/[^/]*)(.*)$/s.exec(first) ?? []) : []
      const start =
        spellingsOf(origin) + (path.startsWith('/') ? `(?:/|(?=,|$))${spellingsOf(path.slice(1))}` : spellingsOf(path))
      return start + sourceOf(first === '' ? pieces : pieces.slice(1), hashRouting ? anyTextAndRoute : anyText)
    })
    const origin = this.#whole ? '' : '[^/]+//[^/,]*'
    return `^${parameters.join('')}${origin}(?:${globs.join('|')})(?:,[?&][^#]*)?$`
  }
}

/**
 * Returns the source of a regular expression that tests, in the tracker, whether a page matches a pattern, given the
 * page as the tracker distinguishes it (`trackedPage`).
 */
export function trackedPattern(pattern: string, { hash_routing = false }: Pick<PageRule, 'hash_routing'>): string {
  return new StagePattern(pattern).trackedSource(hash_routing)
}

/** Explains why no page of an app can ever match a pattern; undefined if one can. */
export function patternProblem(
  pattern: string,
  { hash_routing = false }: Pick<PageRule, 'hash_routing'>,
): string | undefined {
  if (/\p{Cc}/u.test(pattern)) return 'must not contain control characters'
  if (!/^[/*]/.test(pattern) && !isWholeAddress(pattern)) {
    return 'must be a path that begins with "/" (or "*"), or a whole address that begins with "http://" or "https://"'
  }
  const { address, query, route } = split(pattern)
  const badAddress = addressProblem(address, isWholeAddress(pattern))
  if (badAddress !== undefined) return badAddress
  if (query.some(([name]) => name === '' || name.includes('*')))
    return 'must name its parameters, like "/checkout?step=2"; only a value may have a "*"'
  if (route === undefined) return undefined
  if (!hash_routing) return 'has a fragment, which is part of a page only in an app with "hash_routing": true'
  if (!/^(!?\/|\*)/.test(route)) return 'has a fragment that is no route; a route begins with "#/"'
  return undefined
}

/** Returns the parameters that the stages of funnels require. */
export function parametersOfStages(stages: readonly Pick<Stage, 'url'>[]): string[] {
  return [...new Set(stages.flatMap(({ url }) => (url?.includes('?') ? new StagePattern(url).parameters : [])))]
}

type Glob = (text: string) => boolean
/** a split pattern: literal texts with `WILD` between them */
type Pieces = readonly (string | null)[]
/** any run of characters */
const WILD = null

const pageAddress = /^([a-z][a-z0-9+.-]*:\/\/)?([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#([^?]*)(?:\?(.*))?)?$/s

function isWholeAddress(pattern: string): boolean {
  return /^(https?:\/\/|http\*|https\*)/i.test(pattern)
}

interface SplitPattern {
  readonly address: string
  readonly query: readonly (readonly [name: string, value: string | undefined])[]
  readonly route: string | undefined
}

function split(pattern: string): SplitPattern {
  const hash = pattern.indexOf('#')
  const [before, after] = hash < 0 ? [pattern, undefined] : [pattern.slice(0, hash), pattern.slice(hash + 1)]
  const [address, query] = cut(before, '?')
  const [route, routeQuery] = after === undefined ? [undefined, undefined] : cut(after, '?')
  const pairs = [query, routeQuery].flatMap((text) => (text ? text.split('&') : [])).map((pair) => cut(pair, '='))
  return { address, query: pairs, route: route === '' || route === '/' ? undefined : route }
}

function cut(text: string, mark: string): readonly [string, string | undefined] {
  const index = text.indexOf(mark)
  return index < 0 ? [text, undefined] : [text.slice(0, index), text.slice(index + mark.length)]
}

function addressProblem(address: string, whole: boolean): string | undefined {
  if (address.includes('*')) {
    return /(^|[\\/])\.\.?([\\/]|$)/.test(address) ? 'must not have "." or ".." as a part of its path' : undefined
  }
  if (!whole) return undefined
  if (!URL.canParse(address)) return 'is not a valid address'
  const { username, password } = new URL(address)
  return username || password ? 'must not have a user name or password' : undefined
}

/** Returns scheme and host in normal form, followed by the path in normal form. */
function addressPieces(address: string, whole: boolean): Pieces {
  if (!address.includes('*')) {
    const absolute = whole ? address : `http://h${address}`
    if (!URL.canParse(absolute)) return [address]
    const { protocol, host, pathname } = new URL(absolute)
    return [
      `${whole ? `${protocol}//${host.replace(/\.(?=$|:)/, '')}` : ''}${withoutTrailingSlash(decodePath(pathname))}`,
    ]
  }
  const [, origin = '', path = ''] = whole
    ? (/^([^/*]+:\/\/[^/\\]*|http[^/]*:\/\/[^/\\]*)?(.*)$/is.exec(address) ?? [])
    : ['', '', address]
  return [
    ...wild(normalOrigin(origin)),
    ...wild(pathPattern(path, origin)).map((piece) => (piece === WILD ? piece : decodePath(piece))),
  ]
}

/** Normalizes an origin: lower case, Punycode host names, no default port; labels with a `*` stay as they are. */
function normalOrigin(origin: string): string {
  const [scheme, authority] = cut(origin.toLowerCase(), '://')
  if (authority === undefined) return origin.toLowerCase()
  const host = authority.replace(scheme === 'https' ? /:443$/ : scheme === 'http' ? /:80$/ : /$^/, '')
  const labels = host
    .split('.')
    .map((label) => (/^[\x21-\x7e]*$/.test(label) || label.includes('*') ? label : wireLabel(label)))
  return `${scheme}://${labels.join('.')}`
}

function wireLabel(label: string): string {
  const url = `http://${label}`
  return URL.canParse(url) ? new URL(url).host : label
}

function pathPattern(path: string, origin: string): string {
  const slashes = path.replaceAll('\\', '/')
  const isRoot = slashes === '' && origin !== '' && !origin.endsWith('*')
  return isRoot || slashes.endsWith('/') ? withoutTrailingSlash(slashes) : slashes
}

function routePieces(route: string): Pieces {
  return wild(route.replace(/(?<=.)\/+$/, '')).map((piece) => (piece === WILD ? piece : decodePath(piece)))
}

function valuePieces(value: string): Pieces {
  return wild(value).map((piece) => (piece === WILD ? piece : decodeText(piece)))
}

function wild(text: string): Pieces {
  return text
    .split('*')
    .flatMap((piece, i): (string | null)[] => [...(i === 0 ? [] : [WILD]), ...(piece === '' ? [] : [piece])])
}

function sourceOf(pieces: Pieces, wildcard: string, spell = spellingsOf): string {
  return pieces.map((piece) => (piece === WILD ? wildcard : spell(piece))).join('')
}

/** Joins adjacent literals. */
function joinLiterals(pieces: Pieces): Pieces {
  const all: (string | null)[] = []
  for (const piece of pieces) {
    const last = all.at(-1)
    if (typeof piece === 'string' && typeof last === 'string') all[all.length - 1] = last + piece
    else all.push(piece)
  }
  return all
}

/** Returns the alternatives of a pattern: a wildcard route may be empty, so `/#/*` also matches the page `/`. */
function alternatives(pieces: Pieces): Pieces[] {
  const before = pieces.at(-2)
  if (pieces.at(-1) !== WILD || typeof before !== 'string' || !before.endsWith('#/')) return [pieces]
  return [pieces, [...pieces.slice(0, -2), before.slice(0, -2)]]
}

/**
 * Compiles a pattern to a test that finds the literals from left to right, each at its first occurrence. Its time is
 * bounded by the length of the text times the length of the pattern.
 */
function globOf(pieces: Pieces): Glob {
  const literals = pieces.filter((piece) => piece !== WILD)
  if (literals.length === pieces.length) return (text) => text === literals.join('')
  const first = typeof pieces[0] === 'string' ? pieces[0] : ''
  const last = typeof pieces.at(-1) === 'string' ? (pieces.at(-1) as string) : ''
  const middle = literals.slice(first === '' ? 0 : 1, last === '' ? undefined : -1)
  return (text) => {
    const end = text.length - last.length
    if (end < first.length || !text.startsWith(first) || !text.endsWith(last)) return false
    let next = first.length
    for (const literal of middle) {
      const found = text.indexOf(literal, next)
      if (found < 0 || found + literal.length > end) return false
      next = found + literal.length
    }
    return true
  }
}
