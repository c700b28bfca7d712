/** How well a way to find an element survives changes of the page. */
export type Stability = 'high' | 'medium' | 'low'

/** Names that frameworks and build tools make, so that the next build or load has other ones. */
const generated = [
  /\d{3,}/,
  // React's useId, and ids that end with a counter of a library
  /^:.*:$|«.*»|^_r_/,
  /^(ember|ext-gen|radix|headlessui|mui|react-select|cdk|mat|yui|gwt|uid|jss|css|sc|emotion|svelte|astro|data-v)[-_:]?.*\d/i,
  // a hash: letters and digits in turns, as a part of the name
  /(^|[-_])(?=[a-z]*\d)(?=\d*[a-z])[a-z\d]*\d[a-z]+\d[a-z\d]*($|[-_])/i,
  /(^|[-_])[a-f\d]{8,}($|[-_])/i,
  // CSS modules and styled components mix cases: button_aB3xY, kXyZqW
  /[-_](?=[\w]*[A-Z])(?=[\w]*[a-z])(?=[\w]*\d)[A-Za-z\d]{5,}$/,
  /^(css|sc|jsx|svelte|emotion|astro|jss)-\w+$/i,
]

/** Returns whether a name of an element looks made by a program, not chosen by a person. */
export const isGenerated = (name: string): boolean => generated.some((form) => form.test(name))
