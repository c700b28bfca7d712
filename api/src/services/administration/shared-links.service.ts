import { randomBytes } from 'node:crypto'
import { Inject, Injectable } from '@nestjs/common'
import {
  daysOf,
  faultsOfView,
  HopperError,
  limits,
  readCompare,
  readRange,
  timeZone,
  type App,
  type CreatedSharedLink,
  type NewSharedLink,
  type OpenedLink,
  type OpenSharedLink,
  type SharedLink,
  type SharedLinkView,
} from '@hopper/contracts'
import type { Registry } from '@hopper/storage'
import { GuessLimit } from '../../access/failure-counter.ts'
import type { Caller, SharedCaller } from '../../access/caller.ts'
import { nameOfCaller } from '../../access/name-of-caller.ts'
import { hashPassword, verifyPassword } from '../../access/password.ts'
import { newSecret, sameSecret, secretHash } from '../../access/secret.ts'
import { SharedSessions } from '../../access/shared-sessions.ts'
import { weaknessOf } from '../../access/weak-password.ts'
import { invalidFields } from '../../http/checked.ts'
import type { Fault } from '../../http/faults.ts'
import { CLOCK, PUBLIC_URL, REGISTRY, type Clock } from '../../tokens.ts'
import { FunnelsService } from './funnels.service.ts'

const DAY_MS = 86_400_000
const ID_BYTES = 8

/** A link that was opened: what its reader may know of it, and the session. */
export interface OpenedSession {
  readonly opened: OpenedLink
  readonly token: string
  readonly maxAgeSeconds: number
}

/** Links that show one view of an app to everyone who has them, until they end. */
@Injectable()
export class SharedLinksService {
  private readonly registry: Registry
  private readonly funnels: FunnelsService
  private readonly sessions: SharedSessions
  private readonly clock: Clock
  private readonly publicUrl: string
  private readonly guesses: GuessLimit

  constructor(
    @Inject(REGISTRY) registry: Registry,
    @Inject(FunnelsService) funnels: FunnelsService,
    @Inject(SharedSessions) sessions: SharedSessions,
    @Inject(CLOCK) clock: Clock,
    @Inject(PUBLIC_URL) publicUrl: string,
  ) {
    this.registry = registry
    this.funnels = funnels
    this.sessions = sessions
    this.clock = clock
    this.guesses = new GuessLimit(clock)
    this.publicUrl = publicUrl
  }

  /** Lists the links of an app, the newest first. */
  async list(app: App): Promise<SharedLinkView[]> {
    const [links, uses] = await Promise.all([
      this.registry.sharedLinks.list(app.id),
      this.registry.sharedLinkUses.list(app.id),
    ])
    const usedAt = new Map(uses.map(({ id, at }) => [id, at]))
    return [...links].sort((a, b) => b.created_at - a.created_at).map((link) => viewOf(link, usedAt.get(link.id)))
  }

  async create(app: App, sent: NewSharedLink, caller: Caller): Promise<CreatedSharedLink> {
    const { name, view, ends_at, password, frame_origins } = sent
    const now = this.clock()
    const faults = [...faultsOf(sent, now), ...weaknessesOf(sent, app)]
    if (faults.length > 0) throw invalidFields(faults)
    if (view.funnel !== undefined) await this.funnels.get(app, view.funnel)
    await this.makeRoom(app, now)
    const token = newSecret()
    const link: SharedLink = {
      id: randomBytes(ID_BYTES).toString('hex'),
      app: app.id,
      name,
      view,
      hash: secretHash(token),
      ...(password === undefined ? {} : { password: await hashPassword(password) }),
      ...(frame_origins && frame_origins.length > 0 ? { frame_origins } : {}),
      created_by: await nameOfCaller(this.registry, caller),
      created_at: now,
      ends_at,
    }
    await this.registry.sharedLinks.put(app.id, link.id, link)
    return {
      ...viewOf(link, undefined),
      url: this.address('share', link, token),
      ...(link.frame_origins ? { frame_url: this.address('embed', link, token) } : {}),
    }
  }

  /** Ends a link, and with it every session of its readers, at once. */
  async end(app: App, id: string): Promise<void> {
    await this.registry.sharedLinkUses.remove(app.id, id)
    if (!(await this.registry.sharedLinks.remove(app.id, id)))
      throw new HopperError('HOP_NOT_FOUND', 'This app has no such link; GET shared-links lists them.')
  }

  /**
   * Opens a link for a reader.
   * @throws HopperError HOP_SHARED_LINK, HOP_SHARED_PASSWORD, or HOP_RATE after too many failures from one address
   */
  async open(id: string, { token, password }: OpenSharedLink, address: string): Promise<OpenedSession> {
    this.guesses.check(id, address)
    const link = await this.sessions.open(id)
    const app = link && sameSecret(secretHash(token), link.hash) ? await this.registry.app(link.app) : undefined
    if (!link || !app) {
      this.guesses.fail(id, address)
      throw new HopperError('HOP_SHARED_LINK')
    }
    const { password: stored } = link
    if (stored !== undefined) {
      if (password === undefined) throw new HopperError('HOP_SHARED_PASSWORD', 'This link has a password.')
      await this.guesses.guard(id, address, async () => {
        if (!(await verifyPassword(password, stored)))
          throw new HopperError('HOP_SHARED_PASSWORD', 'The password is wrong.')
      })
    }
    return { opened: this.describe(link, app), ...(await this.sessions.begin(link)) }
  }

  /** Returns what a link shows, for its reader. */
  async opened({ link }: SharedCaller): Promise<OpenedLink> {
    const app = await this.registry.app(link.app)
    if (!app) throw new HopperError('HOP_SHARED_LINK')
    return this.describe(link, app)
  }

  /** Returns the sites that may show a link in a frame; none for an unknown one. */
  async frameOrigins(id: string): Promise<readonly string[]> {
    return (await this.sessions.open(id))?.frame_origins ?? []
  }

  /** Removes links that have ended when there are too many. */
  private async makeRoom(app: App, now: number): Promise<void> {
    const links = await this.registry.sharedLinks.list(app.id)
    if (links.length < limits.sharedLinksPerAppMax) return
    const ended = links.filter(({ ends_at }) => ends_at <= now)
    if (ended.length === 0)
      throw new HopperError('HOP_LIMIT', 'This app has too many shared links; end some first.', {
        details: { shared_links_max: limits.sharedLinksPerAppMax },
      })
    for (const { id } of ended) {
      await this.registry.sharedLinkUses.remove(app.id, id)
      await this.registry.sharedLinks.remove(app.id, id)
    }
  }

  private describe({ id, name, view, ends_at }: SharedLink, app: App): OpenedLink {
    return {
      id,
      name,
      app: { id: app.id, name: app.name, timezone: app.timezone },
      view,
      today: timeZone(app.timezone).dateOf(this.clock()),
      ends_at,
    }
  }

  /** The token is in the fragment, which browsers send to no server. */
  private address(path: 'share' | 'embed', { id }: SharedLink, token: string): string {
    const url = new URL(`/${path}/${id}`, this.publicUrl)
    url.hash = token
    return url.href
  }
}

function viewOf(link: SharedLink, usedAt: number | undefined): SharedLinkView {
  const { id, name, view, password, frame_origins = [], created_by, created_at, ends_at } = link
  return {
    id,
    name,
    view,
    has_password: password !== undefined,
    frame_origins,
    created_by,
    created_at,
    ends_at,
    ...(usedAt === undefined ? {} : { used_at: usedAt }),
  }
}

function faultsOf({ view, ends_at }: NewSharedLink, now: number): Fault[] {
  const faults: Fault[] = faultsOfView(view).map(({ field, message }) => ({ field: `view.${field}`, message }))
  if (ends_at <= now) faults.push({ field: 'ends_at', message: 'must be in the future' })
  if (ends_at > now + limits.sharedDaysMax * DAY_MS)
    faults.push({ field: 'ends_at', message: `must be at most ${limits.sharedDaysMax} days ahead` })
  for (const field of ['range', 'compare'] as const) {
    const choice = field === 'range' ? readRange(view.range) : readCompare(view.compare ?? '')
    if (typeof choice === 'object' && 'from' in choice && daysOf(choice) > limits.rangeDaysMax)
      faults.push({ field: `view.${field}`, message: `has more than ${limits.rangeDaysMax} days` })
  }
  return faults
}

function weaknessesOf({ name, password }: NewSharedLink, { id, name: appName, organization }: App): Fault[] {
  const weakness = password === undefined ? undefined : weaknessOf(password, [name, id, appName, organization])
  return weakness === undefined ? [] : [{ field: 'password', message: weakness }]
}
