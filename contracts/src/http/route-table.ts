/** The methods that routes can have, in the order in which `Allow` names them. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const

/** A route as the server reports it. */
interface AddedRoute {
  readonly url: string
  readonly method: string | readonly string[]
  readonly config?: { readonly refuses?: boolean } | undefined
}

/** A server that reports each route that is added to it, and to the plugins in it. */
interface RoutedServer {
  addHook(name: 'onRoute', hook: (route: AddedRoute) => void): unknown
}

interface Path {
  readonly pattern: RegExp
  readonly methods: Set<string>
}

const TABLE = Symbol('route table')

/** Records which methods each path takes, to tell a wrong method from a wrong path. */
export class RouteTable {
  readonly #paths = new Map<string, Path>()

  /** Returns the table of a server, or of the server whose plugin it is. It has the routes that are added later. */
  static of(server: RoutedServer & { [TABLE]?: RouteTable }): RouteTable {
    // a plugin's server inherits from its parent
    if (server[TABLE]) return server[TABLE]
    const table = new RouteTable()
    server[TABLE] = table
    server.addHook('onRoute', (route) => table.#add(route))
    return table
  }

  /** Returns the methods that a path takes, OPTIONS among them; none for an unknown path, all for `*`. */
  methodsOf(url: string): string[] {
    if (url === '*') return this.all
    const path = url.split('?', 1)[0]!
    return inOrder([...this.#paths.values()].filter(({ pattern }) => pattern.test(path)))
  }

  /** Returns the methods that any path of the server takes. */
  get all(): string[] {
    return inOrder([...this.#paths.values()])
  }

  #add({ url, method, config }: AddedRoute): void {
    if (url === '*' || url === '/*' || config?.refuses) return
    let path = this.#paths.get(url)
    if (!path) this.#paths.set(url, (path = { pattern: patternOf(url), methods: new Set() }))
    for (const one of [method].flat()) path.methods.add(one)
  }
}

function inOrder(paths: readonly Path[]): string[] {
  const known = new Set(paths.flatMap(({ methods }) => [...methods]))
  if (known.size > 0) known.add('OPTIONS')
  return METHODS.filter((method) => known.has(method))
}

function patternOf(url: string): RegExp {
  const parts = url
    .replace(/\*$/, '')
    .split('/')
    .map((part) => (part.startsWith(':') ? '[^/]+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
  return new RegExp(`^${parts.join('/')}${url.endsWith('*') ? '' : '$'}`)
}
