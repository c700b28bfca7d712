const CALL = /^\/[^?]*?(\/v1\/(?:events|config|link|picks|picker\.js))(\?.*)?$/
const SCRIPT = /^\/[^?]*\.js(\?(?:[^#]*&)?key=hw_[^#]*)$/
const HASHED_SCRIPT = /^\/[^?]*\.([0-9a-f]{16})\.js(\?.*)?$/
/** Paths of Hopper itself that look like paths below a prefix. */
const OWN = /^\/(?:(?:api\/v1\/apps|array)\/|v1\/picker\.js)/

/**
 * Returns the path of the tracker's call that an address below any prefix means, and other addresses as they are. So a
 * site can serve the tracker below a path of its own, whether or not its proxy removes the prefix:
 * `/any/path/v1/events` is `/v1/events`, and any script with a write key, such as `/any/name.js?key=hw_…`, is
 * `/hopper.js`.
 */
export function firstPartyPath(url: string): string {
  if (OWN.test(url)) return url
  const [, call, query = ''] = CALL.exec(url) ?? []
  if (call !== undefined) return call + query
  const [, hash, rest = ''] = HASHED_SCRIPT.exec(url) ?? []
  if (hash !== undefined) return `/hopper.${hash}.js${rest}`
  const [, parameters] = SCRIPT.exec(url) ?? []
  return parameters === undefined ? url : `/hopper.js${parameters}`
}
