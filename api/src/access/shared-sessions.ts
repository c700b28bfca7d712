import { Inject, Injectable } from '@nestjs/common'
import { HopperError, type SharedLink } from '@hopper/contracts'
import { LastUses, SignedTokens, type Registry } from '@hopper/storage'
import type { FastifyRequest } from 'fastify'
import { CLOCK, PUBLIC_URL, REGISTRY, type Clock } from '../tokens.ts'
import type { SharedCaller } from './caller.ts'
import { sharedCookie } from './cookies.ts'

const SESSION_MS = 12 * 3_600_000
/** Resolution of the last use in ms: it is not written at every request. */
const USE_NOTED_MS = 3_600_000
/** The link, then the session where no cookie has it. */
const HEADER = /^([0-9a-f]{16})(?:\.(.{1,1000}))?$/

/**
 * Sessions of readers of shared links. Nothing is stored of them: a session is a signed token, and holds only as long
 * as its link does, so that ending the link ends them all at once. The header `X-Hopper-Share` names the link, so that
 * several links can be open in one browser, beside a login; no page of another origin can send it.
 */
@Injectable()
export class SharedSessions {
  private readonly registry: Registry
  private readonly tokens: SignedTokens
  private readonly clock: Clock
  private readonly uses: LastUses
  private readonly secure: boolean

  constructor(
    @Inject(REGISTRY) registry: Registry,
    @Inject(SignedTokens) tokens: SignedTokens,
    @Inject(CLOCK) clock: Clock,
    @Inject(PUBLIC_URL) publicUrl: string,
  ) {
    this.registry = registry
    this.tokens = tokens
    this.clock = clock
    this.uses = new LastUses(USE_NOTED_MS, clock)
    this.secure = publicUrl.startsWith('https:')
  }

  /** Begins a session of a link that was opened. */
  async begin(link: SharedLink): Promise<{ readonly token: string; readonly maxAgeSeconds: number }> {
    const lifetimeMs = Math.min(SESSION_MS, link.ends_at - this.clock())
    const { token } = await this.tokens.sign('share', link.app, subjectOf(link), lifetimeMs)
    await this.noteUse(link)
    return { token, maxAgeSeconds: Math.floor(lifetimeMs / 1_000) }
  }

  /** Returns the reader of a link; undefined for a request that names none. @throws HopperError HOP_SHARED_LINK */
  async identify(request: FastifyRequest): Promise<SharedCaller | undefined> {
    const header = request.headers['x-hopper-share']
    if (header === undefined) return undefined
    const [, id, sent] = HEADER.exec(String(header)) ?? []
    const link = id === undefined ? undefined : await this.open(id)
    const token = link && (sent ?? sharedCookie(request, link.id, this.secure))
    const verified = token && (await this.tokens.verify('share', link.app, token))
    if (!link || !verified || !('subject' in verified) || verified.subject !== subjectOf(link))
      throw new HopperError('HOP_SHARED_LINK')
    const app = await this.registry.app(link.app)
    if (!app) throw new HopperError('HOP_SHARED_LINK')
    await this.noteUse(link)
    return { kind: 'shared', organization: app.organization, app: app.id, link }
  }

  /** Returns a link that has not ended. */
  async open(id: string): Promise<SharedLink | undefined> {
    const link = await this.registry.sharedLink(id)
    return link && link.ends_at > this.clock() ? link : undefined
  }

  private noteUse({ app, id }: SharedLink): Promise<void> {
    return this.uses.note(id, (at) => this.registry.sharedLinkUses.put(app, id, { id, at }))
  }
}

/** A session is of one link, as it is now: an imported link of the same id has a different hash. */
function subjectOf({ id, hash }: SharedLink): string {
  return `${id} ${hash}`
}
