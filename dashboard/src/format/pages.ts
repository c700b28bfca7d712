/** How addresses (`shop.example/products`) are shown: when all are of one host, it says nothing and is left out. */
export function pageNames(urls: readonly string[]): (url: string) => string {
  const hosts = new Set(urls.map((url) => url.split('/', 1)[0]!))
  if (hosts.size !== 1) return (url) => url
  const [host] = [...hosts]
  return (url) => (url.startsWith(`${host}/`) ? url.slice(host!.length) : url === host ? '/' : url)
}
