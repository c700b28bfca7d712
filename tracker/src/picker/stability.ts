/** Degree to which a way to find an element survives changes of the page. */
export type Stability = 'high' | 'medium' | 'low'

/** Names that frameworks and build tools make, so that the next build or load has other ones. */
const generated = [
  /\d{3,}/,
  // React's useId
  /^:.*:$|«.*»|^_r_/,
  // counters of libraries
  /^(ember|ext-gen|radix|headlessui|mui|react-select|cdk|mat|yui|gwt|uid|jss|data-v)[-_:]?.*\d/i,
  // hashes: letters and digits in turns, or hexadecimal digits, as a part of the name
  /(^|[-_])(?=[a-z]*\d)(?=\d*[a-z])[a-z\d]*\d[a-z]+\d[a-z\d]*($|[-_])/i,
  /(^|[-_])(?=[a-f]*\d)[a-f\d]{8,}($|[-_])/i,
  // hashes of CSS modules mix cases: button_aB3xY
  /[-_](?=[\w]*[A-Z])(?=[\w]*[a-z])(?=[\w]*\d)[A-Za-z\d]{5,}$/,
  // libraries that write styles
  /^(css|sc|jsx|svelte|emotion|astro|jss)-\w+$/i,
]

/** Returns whether a name of an element looks made by a program, not chosen by a person. */
export const isGenerated = (name: string): boolean => generated.some((form) => form.test(name))
