const STORED = 'hopper.left'
const OF_AN_APP = /^\/a\//

/** Remembers, in this tab, the page that is left for a login at the OpenID provider. */
export function rememberPlace(): void {
  const { pathname, search } = location
  if (OF_AN_APP.test(pathname)) sessionStorage.setItem(STORED, pathname + search)
}

/** Returns the page that was left, once, to a member who comes back to the first page. */
export function takePlace(): string | undefined {
  const place = sessionStorage.getItem(STORED)
  sessionStorage.removeItem(STORED)
  return place !== null && OF_AN_APP.test(place) && location.pathname === '/' ? place : undefined
}
