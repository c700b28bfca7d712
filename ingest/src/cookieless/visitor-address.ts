import { isIPv6, SocketAddress } from 'node:net'

const IPV4_IN_IPV6 = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i
/** groups of an IPv6 address that name a network; browsers change the others every day or more often */
const NETWORK_GROUPS = 4

/**
 * Returns the part of a client's address that stays the same within a day: an IPv4 address, without the port that some
 * proxies add; of an IPv6 address, the first 64 bits. Any other text is returned unchanged.
 */
export function visitorAddress(sent: string): string {
  const address = sent.replace(/^\[(.*)\](:\d+)?$/, '$1').replace(/^(\d+(?:\.\d+){3}):\d+$/, '$1')
  const mapped = IPV4_IN_IPV6.exec(address)
  if (mapped) return mapped[1]!
  if (!isIPv6(address)) return address
  return expanded(address).slice(0, NETWORK_GROUPS).join(':')
}

/** Returns the eight groups of an IPv6 address, without leading zeros. */
function expanded(address: string): string[] {
  // writes it in its shortest form, in lower case and without a zone
  const short = new SocketAddress({ address: address.replace(/%.*$/, ''), family: 'ipv6' }).address
  const [left = '', right] = short.split('::')
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'))
  if (right === undefined) return groups(left)
  const [before, after] = [groups(left), groups(right)]
  return [...before, ...Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0'), ...after]
}
