/**
 * The single definition of a page for reports, stages, journeys, filters and the dashboard (decision 0025). A page is
 * the host (lower case) and the path (percent-decoded, without trailing slash): `shop.example/products`. Query and
 * fragment are not part of it, except for the parameters that the app keeps and, if the app routes by hash, a fragment
 * that is a route (`#/cart`).
 */
export interface PageRule {
  readonly keep_parameters: readonly string[]
  readonly hash_routing?: boolean
}

/** The parts of a page's address, each in its normal form. */
interface PageParts {
  /** `https://` or another scheme; '' for a bare path */
  readonly scheme: string
  readonly host: string
  /** path, kept parameters and route */
  readonly rest: string
}

/**
 * Returns the page of a URL: `shop.example/products`. A bare path has no host; an address with a scheme other than http
 * or https keeps its scheme.
 */
export function pageOf(url: string, keepParameters: readonly string[] = [], hashRouting = false): string {
  const plain = plainParts(url, keepParameters, hashRouting)
  if (plain) return plain[2]! + withoutTrailingSlash(plain[3]!)
  const { scheme, host, rest } = partsOf(url, keepParameters, hashRouting)
  return `${isWeb(scheme) ? '' : scheme}${host}${rest}`
}

/** Returns the page of a URL with its scheme, `https://shop.example/products`, to match against stage patterns. */
export function pageUrlOf(url: string, keepParameters: readonly string[] = [], hashRouting = false): string {
  const plain = plainParts(url, keepParameters, hashRouting)
  if (plain) return plain[1]! + plain[2]! + withoutTrailingSlash(plain[3]!)
  const { scheme, host, rest } = partsOf(url, keepParameters, hashRouting)
  return scheme + host + rest
}

/**
 * Returns the part of a URL that may be stored. Credentials are removed, and so are query and fragment, which may
 * contain tokens and email addresses, except for the parts that belong to the page. The rest stays as sent; a URL from
 * which nothing must be removed is returned unchanged.
 */
export function storableUrl(url: string, keepParameters: readonly string[] = [], hashRouting = false): string {
  if (harmless.test(url) || !suspicious.test(url)) return url
  const text = clean(url)
  const opaque = opaqueScheme.exec(text)
  if (opaque) return opaqueAddress(text, opaque[1]!)
  const { head, query, fragment } = splitUrl(text)
  return (
    clean(
      withoutCredentials(head) +
        keptPairs(query, keepParameters) +
        (hashRouting ? storableRoute(fragment, keepParameters) : ''),
    ) || '/'
  )
}

/** Scheme, host and path of an address already in normal form except for a trailing slash. Nearly all addresses are. */
const plainAddress = new RegExp(
  '^(https?://)(?!(?:[^/]*\\.)?xn--)' +
    '((?:(?:[a-z0-9-]+\\.)*[a-z][a-z0-9-]*|127\\.0\\.0\\.1)(?::(?!(?:80|443)(?:/|$))(?:[1-9]\\d{0,3}|[1-5]\\d{4}))?)' +
    "((?:/(?!\\.)[\\w\\-.~!$&'()*+,;=:@]+)*/?)$",
)
/** An address from which nothing must be removed. Nearly all are, and this test is cheaper than the others. */
const harmless = /^(?:https?:\/\/|\/)[\w.\-~!$&'()*+,;=:%/]*$/i
/** Anything that `storableUrl` might have to remove. */
const suspicious = /[?#@\p{Cc}]|^ | $|^[^/]*:(?!\/\/)/u
/** Addresses whose text is content or an action: only the scheme identifies the page. */
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
  const text = clean(url)
  const opaque = opaqueScheme.exec(text)
  if (opaque) return { scheme: '', host: '', rest: opaqueAddress(text, opaque[1]!) }
  const { head, query, fragment } = splitUrl(text)
  const kept = pageQuery(query, keep) + (hashRouting ? pageRoute(fragment, keep) : '')
  const { scheme, host, path } = addressOf(withoutCredentials(head))
  // a trailing space would be read as whitespace around the address
  return {
    scheme,
    host,
    rest: (withoutTrailingSlash(path) + kept).replace(/ +$/, (blanks) => '%20'.repeat(blanks.length)),
  }
}

/** Parses scheme, host and path of a URL without query and fragment, by the rules of browsers. */
function addressOf(head: string): { readonly scheme: string; readonly host: string; readonly path: string } {
  const scheme = (webScheme.exec(head) ?? anyScheme.exec(head))?.[1]!.toLowerCase()
  const relative = scheme === undefined && /^[\\/]{2}[^\\/]/.test(head)
  const absolute =
    scheme !== undefined ? head : relative ? `https:${head}` : `http://h${/^[\\/]/.test(head) ? '' : '/'}${head}`
  // an address that no browser could open stays as it is
  if (!URL.canParse(absolute)) return { scheme: '', host: '', path: head }
  const { host, pathname } = new URL(absolute)
  return {
    scheme: scheme === undefined ? '' : `${scheme}://`,
    host: scheme === undefined && !relative ? '' : host.toLowerCase().replace(/\.(?=$|:)/, ''),
    path: decodePath(pathname),
  }
}

/** Removes the characters that browsers remove from an address: surrounding whitespace, tabs and line breaks. */
function clean(url: string): string {
  return url.replace(/^[\0-\x20]+|[\0-\x20]+$|[\t\n\r]+/g, '')
}

function splitUrl(text: string): { readonly head: string; readonly query: string; readonly fragment: string } {
  const hash = text.indexOf('#')
  const before = hash < 0 ? text : text.slice(0, hash)
  const mark = before.indexOf('?')
  return {
    // spaces that are at the end now that query and fragment are cut off
    head: (mark < 0 ? before : before.slice(0, mark)).replace(/ +$/, ''),
    query: mark < 0 ? '' : before.slice(mark + 1),
    fragment: hash < 0 ? '' : text.slice(hash + 1),
  }
}

function withoutCredentials(head: string): string {
  return head.replace(/^(https?:[\\/]*|(?:[a-z][a-z0-9+.-]*:)?[\\/]{2})[^\\/]*@/i, '$1')
}

/** Keeps `about:blank`, which identifies a page, and only the scheme of `data:` and the like, whose rest is content. */
function opaqueAddress(text: string, scheme: string): string {
  const name = scheme.toLowerCase()
  return name === 'about' ? splitUrl(text).head.toLowerCase() : `${name}:`
}

/** Returns the kept pairs of a query as sent. */
function keptPairs(query: string, keep: readonly string[]): string {
  if (query === '' || keep.length === 0) return ''
  const pairs = query.split('&').filter((pair) => keep.includes(decodeText(pair.split('=', 1)[0]!)))
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`
}

/** Returns the kept parameters sorted by name, with the first value of each. */
function pageQuery(query: string, keep: readonly string[]): string {
  const values = queryValues(query)
  const names = [...new Set(keep)].filter((name) => values.has(name)).sort()
  if (names.length === 0) return ''
  return `?${names.map((name) => `${encodeURIComponent(name)}=${encodeURIComponent(values.get(name)!)}`).join('&')}`
}

/** Returns the first value of each parameter of a query. */
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

/** Returns whether a fragment is a route of a hash router: `/cart` or `!/cart`. Others are anchors within a page. */
function isRoute(fragment: string): boolean {
  return /^!?\//.test(fragment)
}

function storableRoute(fragment: string, keep: readonly string[]): string {
  if (!isRoute(fragment)) return ''
  const { head, query } = splitUrl(fragment)
  return `#${head}${keptPairs(query, keep)}`
}

/** Returns the route as part of a page; the root route `#/` is the page itself. */
function pageRoute(fragment: string, keep: readonly string[]): string {
  if (!isRoute(fragment)) return ''
  const { head, query } = splitUrl(fragment)
  const path = decodePath(head).replace(/\/+$/, '')
  const kept = pageQuery(query, keep)
  return path === '' || path === '!' ? (kept === '' ? '' : `#${path}/${kept}`) : `#${path}${kept}`
}

/** Removes all slashes at the end of a path; the root remains `/`. */
export function withoutTrailingSlash(path: string): string {
  if (path === '') return '/'
  return path.endsWith('/') ? path.replace(/\/+$/, '') || '/' : path
}

/** A UTF-8 sequence of 1 to 4 percent-encoded bytes, else any percent-encoded byte. */
const encodedCharacter = new RegExp(
  '%[0-7][0-9a-f]|%[cd][0-9a-f]%[89ab][0-9a-f]|%e[0-9a-f](?:%[89ab][0-9a-f]){2}|' +
    '%f[0-7](?:%[89ab][0-9a-f]){3}|%[0-9a-f]{2}',
  'gi',
)
/** Characters that would change their meaning if decoded: separators, escapes and control characters. */
const staysEncoded = /[\p{Cc}/?#%\\]/u

/** Decodes the characters of a path. Encoded separators and invalid UTF-8 stay encoded, in upper case. */
export function decodePath(path: string): string {
  if (!path.includes('%')) return path
  return path.replace(encodedCharacter, (encoded) => {
    const decoded = decodeOr(encoded)
    return decoded === undefined || staysEncoded.test(decoded) ? encoded.toUpperCase() : decoded
  })
}

/** Decodes a form-encoded name or value of a query; invalid UTF-8 stays as it is. */
export function decodeText(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text
  return spaced.includes('%') ? spaced.replace(encodedCharacter, (encoded) => decodeOr(encoded) ?? encoded) : spaced
}

function decodeOr(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded)
  } catch {
    // invalid UTF-8: the caller keeps the encoded bytes
    return undefined
  }
}
