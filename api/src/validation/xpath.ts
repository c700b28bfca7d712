import { createRequire } from 'node:module'

/** Required instead of imported: the types of the package lack `parse` and add the DOM to every file of the api. */
const { parse } = createRequire(import.meta.url)('xpath') as {
  readonly parse: (text: string) => { readonly expression: { readonly expression: Node } }
}

/**
 * The functions of XPath 1.0, the version that browsers support, with their minimum and maximum number of arguments.
 */
const ARGUMENTS: ReadonlyMap<string, readonly [number, number]> = new Map(
  Object.entries({
    last: [0, 0],
    position: [0, 0],
    count: [1, 1],
    id: [1, 1],
    'local-name': [0, 1],
    'namespace-uri': [0, 1],
    name: [0, 1],
    string: [0, 1],
    concat: [2, Infinity],
    'starts-with': [2, 2],
    contains: [2, 2],
    'substring-before': [2, 2],
    'substring-after': [2, 2],
    substring: [2, 3],
    'string-length': [0, 1],
    'normalize-space': [0, 1],
    translate: [3, 3],
    boolean: [1, 1],
    not: [1, 1],
    true: [0, 0],
    false: [0, 0],
    lang: [1, 1],
    number: [0, 1],
    sum: [1, 1],
    floor: [1, 1],
    ceiling: [1, 1],
    round: [1, 1],
  }),
)
const ATTRIBUTE_AXIS = 2
const NAMESPACE_AXIS = 8
/** The parser's node tests for names: any, with a prefix and any, with or without a prefix. */
const NAME_TESTS = [0, 1, 2]
const ANY_NODE = 6
const PROBLEM_CHARS_MAX = 120

interface Step {
  readonly axis: unknown
  readonly nodeTest: { readonly type: number; readonly prefix?: string | null }
  readonly predicates: readonly Node[]
}
/** The part of the parser's tree that is checked here. */
interface Node {
  readonly functionName?: string
  readonly arguments?: readonly Node[]
  readonly filter?: Node
  readonly filterPredicates?: readonly Node[]
  readonly locationPath?: { readonly absolute: boolean; readonly steps: readonly Step[] }
  readonly lhs?: Node
  readonly rhs?: Node
  readonly variable?: string
}

/** Explains why a text is not an XPath of elements in any browser; undefined if it is one. */
export function xpathProblem(text: string): string | undefined {
  let tree: Node
  try {
    tree = parse(text).expression.expression
  } catch (error) {
    return problem(
      error instanceof Error && error.message !== 'XPath parse error'
        ? error.message
        : `it is incomplete or has unexpected text: ${text}`,
    )
  }
  const fault = expressionFault(tree) ?? (selectsElements(tree) ? undefined : 'it does not select elements')
  return fault === undefined ? undefined : problem(fault)
}

function problem(why: string): string {
  return `is not an XPath of elements: ${why.trim().slice(0, PROBLEM_CHARS_MAX)}`
}

/** Finds names that browsers do not know, anywhere in an expression. */
function expressionFault(node: Node | undefined): string | undefined {
  if (!node) return undefined
  if (node.variable !== undefined) return `the variable $${node.variable} is not defined`
  const { functionName: name, arguments: given = [], locationPath, filterPredicates = [] } = node
  if (name !== undefined) {
    const [least, most] = ARGUMENTS.get(name) ?? [Infinity, -Infinity]
    if (least > most) return `XPath 1.0 has no function ${name}()`
    if (given.length < least || given.length > most) return `${name}() does not take ${given.length} arguments`
  }
  const steps = locationPath?.steps ?? []
  return (
    firstFault([...given, ...filterPredicates]) ??
    expressionFault(node.filter) ??
    expressionFault(node.lhs) ??
    expressionFault(node.rhs) ??
    steps.map(stepFault).find((fault) => fault !== undefined)
  )
}

function stepFault({ axis, nodeTest, predicates }: Step): string | undefined {
  if (typeof axis !== 'number' || axis < 0) return 'it has an unknown axis'
  if (nodeTest.prefix) return `the prefix ${nodeTest.prefix} is not bound to a namespace`
  return firstFault(predicates)
}

function firstFault(nodes: readonly Node[]): string | undefined {
  return nodes.map(expressionFault).find((fault) => fault !== undefined)
}

function selectsElements(node: Node): boolean {
  if (node.constructor.name === 'BarOperation') return selectsElements(node.lhs!) && selectsElements(node.rhs!)
  if (node.functionName !== undefined) return node.functionName === 'id'
  if (node.filter && !selectsElements(node.filter)) return false
  const last = node.locationPath?.steps.at(-1)
  if (last)
    return (
      last.axis !== ATTRIBUTE_AXIS &&
      last.axis !== NAMESPACE_AXIS &&
      (NAME_TESTS.includes(last.nodeTest.type) || last.nodeTest.type === ANY_NODE)
    )
  // the document itself is not an element; a parenthesized expression is judged by its content
  return node.locationPath === undefined && node.filter !== undefined
}
