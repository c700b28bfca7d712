/**
 * An element of the page as an XPath names it: an attribute that it starts from, and the names of the elements on the
 * way.
 */
interface PathParts {
  readonly attribute: string | undefined
  readonly value: string | undefined
  readonly tags: readonly string[]
}

/** A part of a selector that an XPath decides. */
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
 * Tells whether a click on an element enters a click stage, by the XPath that the click carries. As in a browser the
 * element or one of its ancestors must
 * match. Only what an XPath says can be decided: `#id`, `[attribute=value]`, `tag`, `*`, `tag#id` and
 * `tag[attribute=value]` (there the tag is not looked at,
 * an id stands for one element), alone or in a list. A part with a class, another attribute test, a pseudo-class or a
 * combinator never matches a past click.
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
  if (id !== undefined) return { attribute: 'id', value: unescaped(id) }
  if (attribute !== undefined) return { attribute, value: unescaped(values.find((value) => value !== undefined) ?? '') }
  return tag === undefined ? undefined : { tag: tag.toLowerCase() }
}

/** The parts of a list; a comma inside quotes or brackets is none of the list's. */
function partsOf(selector: string): string[] {
  return selector.match(/(?:"[^"]*"|'[^']*'|\[[^\]]*\]|\([^)]*\)|\\.|[^,])+/gs) ?? []
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/gs, '$1')
}

/** Undefined for an XPath of a form that no tracker sends. */
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
