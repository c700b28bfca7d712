import { xpathOf } from '../element.ts'
import { isGenerated, type Stability } from './stability.ts'

/** A way to find an element again, with how many elements of the page it finds now. */
export interface Proposal {
  readonly kind: 'data-hopper' | 'id' | 'role and text' | 'CSS' | 'XPath'
  /** CSS selector; none for what only an XPath can express */
  readonly css?: string
  /** names the element in events, once it is one of the app's */
  readonly xpath: string
  readonly stability: Stability
  readonly matches: number
}

const CSS_CHARS_MAX = 300
const XPATH_CHARS_MAX = 1024
const TEXT_CHARS_MAX = 80
const CLASSES_MAX = 3
const ORDER: readonly Stability[] = ['high', 'medium', 'low']
/** The texts of these elements were typed by somebody, or are not texts of the page. */
const unread = 'input,textarea,select,[contenteditable]:not([contenteditable="false"]),script,style,template,noscript'
// eslint-disable-next-line @typescript-eslint/unbound-method -- they are called with their element
const { getAttribute, matches } = Element.prototype

/** Returns the ways to find an element, the most stable first, and of these the ones that find nothing else. */
export function proposalsFor(element: Element): Proposal[] {
  const root = element.getRootNode() as Document | ShadowRoot
  const own = xpathOf(element)
  const byCss = (kind: Proposal['kind'], css: string | undefined, stability: Stability): Proposal[] =>
    css === undefined ? [] : [{ kind, css, xpath: own, stability, matches: root.querySelectorAll(css).length }]
  const id = getAttribute.call(element, 'id')
  const all = [
    ...byCss('data-hopper', attributeSelector(element, 'data-hopper'), 'high'),
    ...byCss('id', id ? `#${CSS.escape(id)}` : undefined, id && isGenerated(id) ? 'low' : 'high'),
    ...byCss('CSS', shortCss(element, root), 'medium'),
    // an XPath does not reach into shadow trees
    ...(root === document ? [...byText(element), ...byPosition(own)] : []),
  ]
  return all
    .filter(({ css = '', xpath }) => css.length <= CSS_CHARS_MAX && xpath.length <= XPATH_CHARS_MAX)
    .map((each) => (each.matches > 1 && each.stability === 'high' ? { ...each, stability: 'medium' as const } : each))
    .sort(
      (a, b) =>
        ORDER.indexOf(a.stability) - ORDER.indexOf(b.stability) || Number(a.matches > 1) - Number(b.matches > 1),
    )
}

/** Returns the text of an element by which people know it; never what somebody has typed. */
export function textOf(element: Element): string {
  const parts: string[] = []
  const walk = (node: Node): void => {
    if (node instanceof Element && matches.call(node, unread)) return
    if (node instanceof Text) parts.push(node.data)
    else for (const child of node.childNodes) walk(child)
  }
  walk(element)
  const text = parts.join('').replace(/\s+/g, ' ').trim()
  const label =
    text ||
    ['aria-label', 'title', 'alt', 'placeholder', 'name'].map((name) => getAttribute.call(element, name)).find(Boolean)
  return (label ?? '').trim().slice(0, TEXT_CHARS_MAX)
}

function attributeSelector(element: Element, name: string): string | undefined {
  const value = getAttribute.call(element, name)
  return value ? `[${name}="${CSS.escape(value)}"]` : undefined
}

/**
 * Returns a selector by tag, classes and attributes that are not generated; if none is unique, below the nearest
 * ancestor whose id is not generated.
 */
function shortCss(element: Element, root: Document | ShadowRoot): string | undefined {
  const classes = [...element.classList].filter((name) => !isGenerated(name)).slice(0, CLASSES_MAX)
  const attribute = ['name', 'type', 'href', 'aria-label'].map((name) => {
    const value = getAttribute.call(element, name)
    return value && value.length <= TEXT_CHARS_MAX && !isGenerated(value) ? `[${name}="${CSS.escape(value)}"]` : ''
  })
  const simple = element.localName + classes.map((name) => `.${CSS.escape(name)}`).join('')
  const countOf = (css: string): number => root.querySelectorAll(css).length
  const tests = attribute.filter((test) => test !== '')
  const candidates = [...(classes.length > 0 ? [simple] : []), ...tests.map((test) => simple + test)]
  const named = ancestorWithId(element)
  const below = named ? [simple, ...candidates].map((css) => `#${CSS.escape(named)} ${css}`) : []
  return [...candidates, ...below].find((css) => countOf(css) === 1)
}

function ancestorWithId(element: Element): string | undefined {
  for (let up = element.parentElement; up; up = up.parentElement) {
    const id = getAttribute.call(up, 'id')
    if (id && !isGenerated(id)) return id
  }
  return undefined
}

/** The XPath of a tag or role with a text: it survives every change of the page but one of the text. */
function byText(element: Element): Proposal[] {
  if (matches.call(element, unread)) return []
  const text = textOf(element)
  const quote = text.includes("'") ? '"' : "'"
  const isWhole = (element.textContent ?? '').replace(/\s+/g, ' ').trim() === text
  if (text === '' || !isWhole || text.includes(quote)) return []
  const role = getAttribute.call(element, 'role')
  const head = role && /^[a-z]+$/.test(role) ? `*[@role='${role}']` : element.localName
  if (!/^[\w*[\]@='-]+$/.test(head)) return []
  const xpath = `//${head}[normalize-space()=${quote}${text}${quote}]`
  return [{ kind: 'role and text', xpath, stability: /\d/.test(text) ? 'low' : 'medium', matches: countXPath(xpath) }]
}

function byPosition(xpath: string): Proposal[] {
  // that is the id or the name, which are proposed as such
  if (/^\/\/\*\[@[\w-]+=(?:'[^']*'|"[^"]*")\]$/.test(xpath)) return []
  const anchor = /^\/\/\*\[@(?:id|data-hopper)=(?:'([^']*)'|"([^"]*)")\]/.exec(xpath)
  const name = anchor?.[1] ?? anchor?.[2]
  const steps = xpath.replace(anchor?.[0] ?? '', '').split('/').length - 1
  const isNear = name !== undefined && !isGenerated(name) && steps <= 2
  return [{ kind: 'XPath', xpath, stability: isNear ? 'medium' : 'low', matches: countXPath(xpath) }]
}

function countXPath(xpath: string): number {
  return document.evaluate(`count(${xpath})`, document, null, XPathResult.NUMBER_TYPE).numberValue
}
