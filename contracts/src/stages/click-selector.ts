/**
 * A parsed XPath of an element: the attribute of the element that it starts from, and the tags along the path.
 */
interface PathParts {
  readonly attribute: string | undefined
  readonly value: string | undefined
  readonly tags: readonly string[]
}

/** A part of a selector that can be evaluated on an XPath. */
interface SimpleSelector {
  readonly attribute?: string
  readonly value?: string
  readonly tag?: string
}

const ident = String.raw`(?:[\w-]|[^\x00-\x7f]|\\.)+`
const simple = new RegExp(
  String.raw`^(\*|${ident})?(?:#(${ident})|\[\s*(${ident})\s*=\s*(?:"([^"]*)"|'([^']*)'|(${ident}))\s*\])?$`,
)
const anchored = /^\/\/(?:\*|[\w-]+)\[@([\w-]+)=(?:'([^']*)'|"([^"]*)")\]/
const step = /\/([\w:-]+)(?:\[\d+\])?/gy

/**
 * Decides by the XPath of a click whether the click enters a click stage. As in a browser, the element or one of its
 * ancestors must match. Only selectors that an XPath can answer are supported: `#id`, `[attribute=value]`, `tag`, `*`,
 * `tag#id` and `tag[attribute=value]` (the last two ignore the tag, because an id identifies one element), alone or in
 * a list. A part with a class, another attribute test, a pseudo-class or a combinator never matches a past click.
 */
export class ClickSelector {
  readonly #parts: readonly SimpleSelector[]

  constructor(selector: string) {
    this.#parts = partsOf(selector).flatMap((part) => simpleOf(part.trim()) ?? [])
  }

  matches(xpath: string): boolean {
    if (this.#parts.length === 0) return false
    const path = parse(xpath)
    return path !== undefined && this.#parts.some((part) => decides(part, path))
  }
}

function decides({ attribute, value, tag }: SimpleSelector, path: PathParts): boolean {
  if (attribute !== undefined) return path.attribute === attribute && path.value === value
  return tag === '*' || path.tags.includes(tag!)
}

function simpleOf(part: string): SimpleSelector | undefined {
  const [, tag, id, attribute, ...values] = simple.exec(part) ?? []
  if (id !== undefined) return { attribute: 'id', value: unescape(id) }
  if (attribute !== undefined) return { attribute, value: unescape(values.find((value) => value !== undefined) ?? '') }
  return tag === undefined ? undefined : { tag: tag.toLowerCase() }
}

/** Splits a selector list; commas inside quotes or brackets do not separate parts. */
function partsOf(selector: string): string[] {
  return selector.match(/(?:"[^"]*"|'[^']*'|\[[^\]]*\]|\([^)]*\)|\\.|[^,])+/gs) ?? []
}

function unescape(text: string): string {
  return text.replace(/\\(.)/gs, '$1')
}

/** Parses an XPath; returns undefined for a form that no tracker sends. */
function parse(xpath: string): PathParts | undefined {
  const [anchor = '', attribute, single, double] = anchored.exec(xpath) ?? []
  const tags: string[] = []
  step.lastIndex = anchor.length
  while (step.lastIndex < xpath.length) {
    const found = step.exec(xpath)
    if (!found) return undefined
    tags.push(found[1]!.toLowerCase())
  }
  return { attribute, value: single ?? double, tags }
}
