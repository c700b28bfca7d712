// eslint-disable-next-line @typescript-eslint/unbound-method -- they are called with their element
const { closest, getAttribute } = Element.prototype

const hostOf = (element: Element): Element | undefined => (element.getRootNode() as ShadowRoot).host

/**
 * Returns the nearest element, from this one up and out of shadow trees, that a selector accepts. Methods are those of
 * the prototype: a form may have an input named `closest` in the place of its own.
 */
export const within = (element: Element | undefined, selector: string): Element | null | undefined =>
  element && (closest.call(element, selector) || within(hostOf(element), selector))

/** Returns the XPath of an element: from the nearest one with a name (`data-hopper`) or an id, with indices. */
export const xpathOf = (element: Element | null | undefined): string => {
  if (!element) return ''
  for (const name of ['data-hopper', 'id']) {
    const value = getAttribute.call(element, name)
    const quote = value?.includes("'") ? '"' : "'"
    if (value && !value.includes(quote)) return `//*[@${name}=${quote}${value}${quote}]`
  }
  let index = 1
  for (let sibling: Element | null = element; (sibling = sibling.previousElementSibling);)
    if (sibling.localName === element.localName) index++
  return `${xpathOf(element.parentElement || hostOf(element))}/${element.localName}[${index}]`
}

/** Accepts what acts when a person clicks it, such as the button around an icon. */
export const acting = 'a,button,input,select,textarea,summary,[role=button],[tabindex="0"],[data-hopper],[onclick]'
