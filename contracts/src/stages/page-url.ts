/**
 * One rule for what a page is, for reports, stages, journeys, filters and the dashboard (decision 0025). A page is host
 * (lower case) and path (percent-decoded, without trailing slash): `shop.example/products`. Query and fragment are no
 * part of it, except the parameters that the app keeps and, where the app routes by hash, a fragment that is a route
 * (`#/cart`).
 */
export interface PageRule {
  readonly keep_parameters: readonly string[]
  readonly hash_routing?: boolean
}

/** The parts of a page's address, each in its normal form. */
interface PageParts {
  /** `https://`, also of other schemes; '' for a bare path */
  readonly scheme: string
  readonly host: string
  /** path, kept parameters and route */
  readonly rest: string
}

/**
 * The page of a URL: `shop.example/products`; a bare path has no host, an address of another scheme than http keeps its
 * scheme.
 */
export function pageOf(url: string, keepParameters: readonly string[] = [], hashRouting = false): string {
  const plain = plainParts(url, keepParameters, hashRouting)
  if (plain) return plain[2]! + withoutTrailingSlash(plain[3]!)
  const { scheme, host, rest } = partsOf(url, keepParameters, hashRouting)
  return `${isWeb(scheme) ? '' : scheme}${host}${rest}`
}

/** The page of a URL with its scheme, `https://shop.example/products`: what patterns of stages are compared with. */
export function pageUrlOf(url: string, keepParameters: readonly string[] = [], hashRouting = false): string {
  const plain = plainParts(url, keepParameters, hashRouting)
  if (plain) return plain[1]! + plain[2]! + withoutTrailingSlash(plain[3]!)
  const { scheme, host, rest } = partsOf(url, keepParameters, hashRouting)
  return scheme + host + rest
}

/**
 * The part of a URL that may be stored: without query and fragment, which may hold tokens and addresses, but for what
 * belongs to the page, and without credentials. What stays is as it was sent; a URL of which nothing has to go is
 * returned itself.
 */
export function storableUrl(url: string, keepParameters: readonly string[] = [], hashRouting = false): string {
  if (harmless.test(url) || !suspicious.test(url)) return url
  const text = cleaned(url)
  const opaque = opaqueScheme.exec(text)
  if (opaque) return opaqueAddress(text, opaque[1]!)
  const { head, query, fragment } = splitUrl(text)
  return (
    cleaned(
      withoutCredentials(head) +
        keptPairs(query, keepParameters) +
        (hashRouting ? storableRoute(fragment, keepParameters) : ''),
    ) || '/'
  )
}

/** Scheme, host and path of an address that is in normal form already, but for a trailing slash: nearly all are. */
const plainAddress = new RegExp(
  '^(https?://)(?!(?:[^/]*\\.)?xn--)' +
    '((?:(?:[a-z0-9-]+\\.)*[a-z][a-z0-9-]*|127\\.0\\.0\\.1)(?::(?!(?:80|443)(?:/|$))(?:[1-9]\\d{0,3}|[1-5]\\d{4}))?)' +
    "((?:/(?!\\.)[\\w\\-.~!$&'()*+,;=:@]+)*/?)$",
)
/** An address of which nothing has to go: nearly all are, and this is sooner told than the rest. */
const harmless = /^(?:https?:\/\/|\/)[\w.\-~!$&'()*+,;=:%/]*$/i
/** Anything that `storableUrl` might have to take away. */
const suspicious = /[?#@\p{Cc}]|^ | $|^[^/]*:(?!\/\/)/u
/** Addresses whose text is content or an action: only the scheme says something about the place. */
const opaqueScheme = /^(about|blob|data|javascript|mailto|tel|view-source):/i
const anyScheme = /^([a-z][a-z0-9+.-]*):\/\//i
const webScheme = /^(https?):[\\/]*/i

function plainParts(url: string, keep: readonly string[], hashRouting: boolean): RegExpExecArray | null {
  if (keep.length > 0 || hashRouting) return plainAddress.exec(url)
  const end = url.search(/[?#]/)
  return plainAddress.exec(end < 0 ? url : url.slice(0, end))
}

function isWeb(scheme: string): boolean {
  return scheme === 'https://' || scheme === 'http://'
}

function partsOf(url: string, keep: readonly string[], hashRouting: boolean): PageParts {
  if (url === '') return { scheme: '', host: '', rest: '' }
  const text = cleaned(url)
  const opaque = opaqueScheme.exec(text)
  if (opaque) return { scheme: '', host: '', rest: opaqueAddress(text, opaque[1]!) }
  const { head, query, fragment } = splitUrl(text)
  const kept = pageQuery(query, keep) + (hashRouting ? pageRoute(fragment, keep) : '')
  const { scheme, host, path } = addressOf(withoutCredentials(head))
  // a blank at the end would be taken for one around the address
  return {
    scheme,
    host,
    rest: (withoutTrailingSlash(path) + kept).replace(/ +$/, (blanks) => '%20'.repeat(blanks.length)),
  }
}

/** Scheme, host and path of a URL without query and fragment, by the rules of browsers. */
function addressOf(head: string): { readonly scheme: string; readonly host: string; readonly path: string } {
  const scheme = (webScheme.exec(head) ?? anyScheme.exec(head))?.[1]!.toLowerCase()
  const relative = scheme === undefined && /^[\\/]{2}[^\\/]/.test(head)
  const absolute =
    scheme !== undefined ? head : relative ? `https:${head}` : `http://h${/^[\\/]/.test(head) ? '' : '/'}${head}`
  // a host that no browser would go to leaves the text as it is
  if (!URL.canParse(absolute)) return { scheme: '', host: '', path: head }
  const { host, pathname } = new URL(absolute)
  return {
    scheme: scheme === undefined ? '' : `${scheme}://`,
    host: scheme === undefined && !relative ? '' : host.toLowerCase().replace(/\.(?=$|:)/, ''),
    path: decodePath(pathname),
  }
}

/** The text without what browsers take out of an address: outer blanks, tabs, line ends. */
function cleaned(url: string): string {
  return url.replace(/^[\0-\x20]+|[\0-\x20]+$|[\t\n\r]+/g, '')
}

function splitUrl(text: string): { readonly head: string; readonly query: string; readonly fragment: string } {
  const hash = text.indexOf('#')
  const before = hash < 0 ? text : text.slice(0, hash)
  const mark = before.indexOf('?')
  return {
    // what stands at the end once the rest is gone
    head: (mark < 0 ? before : before.slice(0, mark)).replace(/ +$/, ''),
    query: mark < 0 ? '' : before.slice(mark + 1),
    fragment: hash < 0 ? '' : text.slice(hash + 1),
  }
}

function withoutCredentials(head: string): string {
  return head.replace(/^(https?:[\\/]*|(?:[a-z][a-z0-9+.-]*:)?[\\/]{2})[^\\/]*@/i, '$1')
}

/** `about:blank` names a place; the rest of `data:` and its kind is content. */
function opaqueAddress(text: string, scheme: string): string {
  const name = scheme.toLowerCase()
  return name === 'about' ? splitUrl(text).head.toLowerCase() : `${name}:`
}

/** The pairs of a query that are kept, as they were sent. */
function keptPairs(query: string, keep: readonly string[]): string {
  if (query === '' || keep.length === 0) return ''
  const pairs = query.split('&').filter((pair) => keep.includes(decodeText(pair.split('=', 1)[0]!)))
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`
}

/** The kept parameters in the order of their names, the first value of each. */
function pageQuery(query: string, keep: readonly string[]): string {
  const values = queryValues(query)
  const names = [...new Set(keep)].filter((name) => values.has(name)).sort()
  if (names.length === 0) return ''
  return `?${names.map((name) => `${encodeURIComponent(name)}=${encodeURIComponent(values.get(name)!)}`).join('&')}`
}

/** The first value of each parameter of a query. */
export function queryValues(query: string): Map<string, string> {
  const values = new Map<string, string>()
  if (query === '') return values
  for (const pair of query.split('&')) {
    const name = pair.split('=', 1)[0]!
    const decoded = decodeText(name)
    if (pair !== '' && !values.has(decoded)) values.set(decoded, decodeText(pair.slice(name.length + 1)))
  }
  return values
}

/** A fragment that a hash router means: `/cart` or `!/cart`. Others are places within a page. */
function isRoute(fragment: string): boolean {
  return /^!?\//.test(fragment)
}

function storableRoute(fragment: string, keep: readonly string[]): string {
  if (!isRoute(fragment)) return ''
  const { head, query } = splitUrl(fragment)
  return `#${head}${keptPairs(query, keep)}`
}

/** The route as part of a page; the router's start, `#/`, is the page itself. */
function pageRoute(fragment: string, keep: readonly string[]): string {
  if (!isRoute(fragment)) return ''
  const { head, query } = splitUrl(fragment)
  const path = decodePath(head).replace(/\/+$/, '')
  const kept = pageQuery(query, keep)
  return path === '' || path === '!' ? (kept === '' ? '' : `#${path}/${kept}`) : `#${path}${kept}`
}

export function withoutTrailingSlash(path: string): string {
  if (path === '') return '/'
  return path.endsWith('/') ? path.replace(/\/+$/, '') || '/' : path
}

const encodedCharacter =
  /%[0-7][0-9a-f]|%[cd][0-9a-f]%[89ab][0-9a-f]|%e[0-9a-f](?:%[89ab][0-9a-f]){2}|%f[0-7](?:%[89ab][0-9a-f]){3}|%[0-9a-f]{2}/gi
/** Decoded, these would be read as something else: a separator, an escape or no text at all. */
const staysEncoded = /[\p{Cc}/?#%\\]/u

/** Decodes the characters of a path; an encoded separator and bytes that are no UTF-8 stay as they are, in capitals. */
export function decodePath(path: string): string {
  if (!path.includes('%')) return path
  return path.replace(encodedCharacter, (encoded) => {
    const decoded = decodeOr(encoded)
    return decoded === undefined || staysEncoded.test(decoded) ? encoded.toUpperCase() : decoded
  })
}

/** Decodes a name or value of a query as forms encode it; bytes that are no UTF-8 stay as they are. */
export function decodeText(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text
  return spaced.includes('%') ? spaced.replace(encodedCharacter, (encoded) => decodeOr(encoded) ?? encoded) : spaced
}

function decodeOr(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded)
  } catch {
    // no UTF-8: the caller keeps the bytes
    return undefined
  }
}
