/** Returns the display name of URLs (`shop.example/products`); the host is omitted if all share it. */
export function pageNames(urls: readonly string[]): (url: string) => string {
  const hosts = new Set(urls.map((url) => url.split('/', 1)[0]!))
  if (hosts.size !== 1) return (url) => url
  const [host] = [...hosts]
  return (url) => (url.startsWith(`${host}/`) ? url.slice(host!.length) : url === host ? '/' : url)
}

/** Returns an address with letters instead of their codes; as it is where they are not UTF-8. */
export function decodedAddress(address: string): string {
  try {
    return decodeURI(address)
  } catch {
    return address
  }
}
