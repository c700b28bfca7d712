import type { FastifyInstance } from 'fastify'

/** Which methods each path of the server takes, so that a wrong method is told apart from a wrong path. */
export class RouteTable {
  private readonly routes = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>()

  /** Must be called before the routes are registered. */
  watch(fastify: FastifyInstance): this {
    fastify.addHook('onRoute', ({ url, method }) => {
      if (url.includes('*')) return
      let route = this.routes.get(url)
      if (!route) this.routes.set(url, (route = { pattern: patternOf(url), methods: new Set() }))
      for (const one of [method].flat()) route.methods.add(one)
    })
    return this
  }

  methodsOf(url: string): string[] {
    const path = url.split('?', 1)[0]!
    return [...new Set([...this.routes.values()].flatMap(({ pattern, methods }) => (pattern.test(path) ? [...methods] : [])))].sort()
  }
}

function patternOf(url: string): RegExp {
  const parts = url.split('/').map((part) => (part.startsWith(':') ? '[^/]+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
  return new RegExp(`^${parts.join('/')}$`)
}
