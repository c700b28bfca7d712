import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isFresh } from './entity-tag.ts'
import { allowFrames, secureHeaders } from './secure-headers.ts'

const HASHED = /[\\/]assets[\\/]/
const NO_PAGE = /^\/(api|v1|docs)(\/|$)|\.[A-Za-z0-9]+$/

/** Serves the built dashboard: its files, and its single page for every URL that the dashboard routes itself. */
export class DashboardFiles {
  private readonly dir: string
  private readonly page: Buffer
  private readonly tag: string

  constructor(dir: string) {
    this.dir = dir
    this.page = readFileSync(join(dir, 'index.html'))
    this.tag = `"${hash('sha256', this.page, 'hex').slice(0, 32)}"`
  }

  async register(fastify: FastifyInstance): Promise<void> {
    await fastify.register(fastifyStatic, {
      root: this.dir,
      wildcard: false,
      decorateReply: false,
      cacheControl: false,
      dotfiles: 'ignore',
      // the build leaves a .br and a .gz file beside each asset
      preCompressed: true,
      setHeaders: (reply, path) => {
        secureHeaders(reply)
        void reply.header('cache-control', HASHED.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache')
      },
    })
  }

  /** Returns whether a request without a matching route asks for a page of the dashboard. */
  answersPage(request: FastifyRequest): boolean {
    const path = request.url.split('?', 1)[0]!
    return (
      (request.method === 'GET' || request.method === 'HEAD') &&
      (request.headers.accept ?? '').includes('text/html') &&
      !NO_PAGE.test(path)
    )
  }

  /**
   * Sends the page so that these sites may show it in a frame. It has no entity tag, which would not cover its headers.
   */
  sendFramedPage(reply: FastifyReply, origins: readonly string[]): void {
    secureHeaders(reply)
    allowFrames(reply, origins)
    void reply.header('cache-control', 'no-store').type('text/html; charset=utf-8').code(200).send(this.page)
  }

  sendPage(request: FastifyRequest, reply: FastifyReply): void {
    secureHeaders(reply)
    void reply.headers({ 'cache-control': 'no-cache', etag: this.tag })
    if (isFresh(request.headers['if-none-match'], this.tag)) void reply.code(304).send()
    else void reply.type('text/html; charset=utf-8').code(200).send(this.page)
  }
}
