const pathOf = (element: Element, parent = element.parentNode): string =>
  parent
    ? `${pathOf(parent as Element)}/${element.localName}[${
        [...parent.children].filter((child) => child.localName === element.localName).indexOf(element) + 1
      }]`
    : ''

/** Returns the XPath of an element: by its id if it has one, else the absolute path with indices. */
export const xpathOf = (element: Element, id = element.getAttribute('id')): string =>
  id ? `//*[@id='${id}']` : pathOf(element)
