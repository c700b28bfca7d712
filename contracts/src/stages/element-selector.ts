import type { Element } from '../app.ts'

/** One step of an XPath: axis, tag, index among siblings of the tag, tests of attributes. */
const step = /(\/\/?)(\*|[A-Za-z][\w-]*)(?:\[(\d+)\])?((?:\[@[A-Za-z_][\w.-]*(?:=(?:'[^']*'|"[^"]*"))?\])*)/y
const test = /\[@([\w.-]+)(?:=(?:'([^']*)'|"([^"]*)"))?\]/g

/**
 * Returns a CSS selector that accepts the same elements of an HTML page as an XPath; undefined if CSS cannot express
 * it (a test of texts, a function, another axis). A browser tests a selector on the few ancestors of a node, while an
 * XPath has to be evaluated over the whole page.
 */
export function selectorOfXPath(xpath: string): string | undefined {
  let selector = ''
  step.lastIndex = 0
  do {
    const start = step.lastIndex
    const [, axis, tag, index, tests] = step.exec(xpath) ?? []
    // the index of `*` counts children of any tag
    if (axis === undefined || (tag === '*' && index !== undefined)) return undefined
    const combinator = start === 0 ? '' : axis === '/' ? '>' : ' '
    const root = start === 0 && axis === '/' ? ':root' : ''
    const position = index === undefined ? '' : `:nth-of-type(${index})`
    selector += `${combinator}${tag}${root}${position}${(tests ?? '').replace(test, attributeTest)}`
  } while (step.lastIndex < xpath.length)
  return selector
}

/**
 * Returns one CSS selector for an element by its fingerprints, the XPath last: the first that finds anything in the
 * document decides. So a worse one, which may have come to mean another element, is not consulted while a better one
 * still finds something. Undefined if there is none, so that the tracker has to evaluate the XPath.
 */
export function selectorOfElement({
  xpath,
  fingerprints = [],
}: Pick<Element, 'xpath' | 'fingerprints'>): string | undefined {
  const exact = selectorOfXPath(xpath)
  if (fingerprints.length === 0) return exact
  const all = [...fingerprints, ...(exact === undefined ? [] : [exact])]
  const absent = (selectors: readonly string[]): string => selectors.map((each) => `:not(:has(${each}))`).join('')
  const alternatives = all.map((each, place) =>
    place === 0 ? each : `html${absent(all.slice(0, place))} :is(${each})`,
  )
  // a browser that does not know `:has` leaves out an alternative of `:is`, not all of it
  return `:is(${alternatives.join(',')})`
}

function attributeTest(_test: string, name: string, single?: string, double?: string): string {
  const value = single ?? double
  return value === undefined ? `[${name}]` : `[${name}=${cssString(value)}]`
}

function cssString(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&').replace(/[\n\r\f]/g, (char) => `\\${char.charCodeAt(0).toString(16)} `)}"`
}
