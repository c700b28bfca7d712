import type { FastifyInstance, HTTPMethods } from 'fastify'

const METHODS: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']

/** Records which methods each path accepts, to distinguish a wrong method from a wrong path. */
export class RouteTable {
  private readonly fastify: FastifyInstance
  private readonly routes = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>()

  /** Records routes registered from now on; of earlier routes, only those without parameters are found. */
  constructor(fastify: FastifyInstance) {
    this.fastify = fastify
    fastify.addHook('onRoute', ({ url, method }) => {
      if (url.includes('*')) return
      let route = this.routes.get(url)
      if (!route) this.routes.set(url, (route = { pattern: patternOf(url), methods: new Set() }))
      for (const one of [method].flat()) route.methods.add(one)
    })
  }

  methodsOf(url: string): string[] {
    const path = url.split('?', 1)[0]!
    const seen = [...this.routes.values()].flatMap(({ pattern, methods }) => (pattern.test(path) ? [...methods] : []))
    const earlier = METHODS.filter((method) => this.fastify.hasRoute({ method, url: path }))
    return [...new Set([...seen, ...earlier])].sort()
  }
}

function patternOf(url: string): RegExp {
  const parts = url
    .split('/')
    .map((part) => (part.startsWith(':') ? '[^/]+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
  return new RegExp(`^${parts.join('/')}$`)
}
