const GROUPS = 8
/** Groups of an IPv6 address that name a network of one customer (/64). */
const NETWORK_GROUPS = 4

/**
 * Returns the source that limits count a client by: its IPv4 address, or the /64 network of its IPv6 address, all of
 * which one customer of a provider has (RFC 6177).
 */
export function sourceOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (mapped) return mapped[1]!
  if (!address.includes(':')) return address
  const [head = '', tail] = address.split('%', 1)[0]!.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail ? tail.split(':') : []
  const zeros = tail === undefined ? 0 : Math.max(0, GROUPS - left.length - right.length)
  const groups = [...left, ...Array.from({ length: zeros }, () => '0'), ...right]
  const network = groups.slice(0, NETWORK_GROUPS).map((group) => (Number.parseInt(group, 16) || 0).toString(16))
  return `${network.join(':')}::/64`
}

/** Returns whether a client runs on this machine: it is the operator's, or a proxy that the settings do not name. */
export function isLoopback(source: string): boolean {
  return source.startsWith('127.') || source === '0:0:0:0::/64'
}
