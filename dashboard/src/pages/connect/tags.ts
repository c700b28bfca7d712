export const ways = ['html', 'next', 'manager', 'server'] as const
export type Way = (typeof ways)[number]

/** Returns the text that connects a site, with its key, for each way to put it there. */
export function tagOf(way: Way, origin: string, key: string): string {
  switch (way) {
    case 'html':
    case 'manager':
      return `<script async src="${origin}/hopper.js" data-key="${key}"></script>`
    case 'next':
      return [
        `import Script from 'next/script'`,
        ``,
        `<Script src="${origin}/hopper.js" data-key="${key}" strategy="afterInteractive" />`,
      ].join('\n')
    case 'server':
      return [
        `curl '${origin}/v1/track' \\`,
        `  -H 'Authorization: Bearer ${key}' \\`,
        `  -H 'Content-Type: application/json' \\`,
        `  -d '{"anonymousId": "device-1", "type": "order", "data": {"total": 42}}'`,
      ].join('\n')
  }
}
