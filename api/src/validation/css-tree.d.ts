/** Types of css-tree's selector parser; the types of DefinitelyTyped describe only the whole package. */
declare module 'css-tree/selector-parser' {
  export interface SelectorNode {
    readonly type: string
    readonly name?: string | { readonly name: string }
    readonly value?: unknown
    readonly flags?: string | null
    readonly selector?: SelectorNode | null
    readonly children?: Iterable<SelectorNode> | null
  }
  /** @throws SyntaxError */
  export default function parse(text: string, options: { readonly context: 'selectorList' }): SelectorNode
}
