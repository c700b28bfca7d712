import type { Stage } from '@hopper/contracts'

/**
 * Returns whether a page matches a stage's pattern: `*` matches any run of characters. A pattern that begins with http
 * is compared with the whole address, any other with the path alone (no query, no fragment).
 */
export const matching =
  (page: Pick<URL, 'href' | 'pathname'>) =>
  ({ url }: Pick<Stage, 'url'>): unknown =>
    url && (url[0] === 'h' ? page.href : page.pathname).match(`^${url.replace(/\W/g, '\\$&').replace(/\\\*/g, '.*')}$`)
