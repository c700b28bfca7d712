import parse, { type SelectorNode } from 'css-tree/selector-parser'

/** Standard pseudo-classes that browsers support; others (`:contains`, `:visible`) throw there. */
const PLAIN = namesIn(`
  active any-link autofill buffering checked closed current default defined disabled empty enabled first-child
  first-of-type focus focus-visible focus-within fullscreen future host hover in-range indeterminate invalid last-child
  last-of-type link local-link modal muted only-child only-of-type open optional out-of-range past paused
  picture-in-picture placeholder-shown playing popover-open read-only read-write required root scope seeking stalled
  target target-within user-invalid user-valid valid visited volume-locked
`)
const WITH_ARGUMENTS = namesIn(`
  current dir has host host-context is lang matches not nth-child nth-last-child nth-last-of-type nth-of-type state
  where
`)
/** Pseudo-classes whose list may be empty; an empty list matches nothing. */
const MAY_BE_EMPTY = new Set(['is', 'where', 'matches'])
const VENDOR = /^-(webkit|moz|ms|o)-/
const IDENTIFIER_START = /^(-?[^\d-]|--)/
const PROBLEM_CHARS_MAX = 120

/** Explains why a text is not a CSS selector of an element in any browser; undefined if it is one. */
export function selectorProblem(text: string): string | undefined {
  let tree: SelectorNode
  try {
    tree = parse(text, { context: 'selectorList' })
  } catch (error) {
    return problem((error as Error).message)
  }
  const plain = text.replace(/\/\*[\s\S]*?\*\//g, '').trim()
  if (plain === '') return problem('it is empty')
  if (/(^|[^\\]),$/.test(plain)) return problem('nothing follows the last comma')
  const fault = listFault(tree, false)
  return fault === undefined ? undefined : problem(fault)
}

function problem(why: string): string {
  return `is not a CSS selector: ${why.slice(0, PROBLEM_CHARS_MAX)}`
}

/** Finds faults that css-tree accepts but browsers do not, in every selector of a list. */
function listFault(list: SelectorNode, isRelative: boolean): string | undefined {
  for (const selector of list.children ?? []) {
    const fault = selectorFault([...(selector.children ?? [])], isRelative)
    if (fault !== undefined) return fault
  }
  return undefined
}

function selectorFault(parts: readonly SelectorNode[], isRelative: boolean): string | undefined {
  for (const [index, part] of parts.entries()) {
    const isCombinator = part.type === 'Combinator'
    if (isCombinator && index === 0 && !isRelative) return `it begins with ${nameOf(part)}`
    if (isCombinator && (index === parts.length - 1 || parts[index + 1]!.type === 'Combinator'))
      return `nothing follows ${nameOf(part)}`
    const fault = partFault(part)
    if (fault !== undefined) return fault
  }
  return undefined
}

function partFault(part: SelectorNode): string | undefined {
  const name = nameOf(part)
  switch (part.type) {
    case 'IdSelector':
      return IDENTIFIER_START.test(name) ? undefined : `the id ${name} begins with a digit; write [id="${name}"]`
    case 'TypeSelector':
      return name.includes('|') && !/^(\*|)\|/.test(name) ? `the namespace of ${name} is unknown` : undefined
    case 'AttributeSelector':
      return part.flags && !/^[is]$/i.test(part.flags) ? `the flag ${part.flags} is unknown` : undefined
    case 'Combinator':
      return [' ', '>', '+', '~'].includes(name) ? undefined : `${name} is not a combinator`
    case 'PseudoElementSelector':
      return `::${name} is not an element that can be clicked`
    case 'PseudoClassSelector':
      return pseudoFault(part, name.toLowerCase())
    case 'ClassSelector':
      return undefined
    default:
      return `${part.type} is not allowed here`
  }
}

function pseudoFault({ children }: SelectorNode, name: string): string | undefined {
  if (VENDOR.test(name)) return undefined
  if (['before', 'after', 'first-line', 'first-letter'].includes(name))
    return `:${name} is not an element that can be clicked`
  if (!children)
    return PLAIN.has(name)
      ? undefined
      : `no browser supports :${name}${WITH_ARGUMENTS.has(name) ? ' without arguments' : ''}`
  if (!WITH_ARGUMENTS.has(name)) return `no browser supports :${name}(...)`
  const given = [...children]
  if (given.length === 0) return MAY_BE_EMPTY.has(name) ? undefined : `:${name}() has no arguments`
  for (const argument of given) {
    const list = argument.type === 'Nth' ? argument.selector : argument
    if (list?.type !== 'SelectorList') continue
    const fault = listFault(list, name === 'has')
    if (fault !== undefined) return fault
  }
  return undefined
}

function nameOf({ name }: SelectorNode): string {
  return typeof name === 'object' ? name.name : (name ?? '')
}

function namesIn(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/))
}
