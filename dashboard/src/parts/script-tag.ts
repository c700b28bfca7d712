/** The line a site puts into its pages. Keys are stored as hashes, so a key can be named only right after it was made. */
export function scriptTag(origin: string, key = 'YOUR_WRITE_KEY'): string {
  return `<script async src="${origin}/hopper.js" data-key="${key}"></script>`
}
