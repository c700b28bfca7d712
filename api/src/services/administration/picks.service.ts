import { randomBytes } from 'node:crypto'
import { Inject, Injectable } from '@nestjs/common'
import { HopperError, limits, pageOf, pickSubject, type App, type Picking } from '@hopper/contracts'
import { SignedTokens, type Registry } from '@hopper/storage'
import type { PickAnswer, PickerLink } from '../../answers/installing.ts'
import { invalidFields } from '../../http/checked.ts'
import { CLOCK, REGISTRY, type Clock } from '../../tokens.ts'
import { TrafficService } from '../traffic.service.ts'

const LIFETIME_MS = 600_000
const PARAMETER = 'hopper-pick'
const ID_BYTES = 16

/** Links to pages on which somebody picks an element, and the elements picked there. */
@Injectable()
export class PicksService {
  private readonly registry: Registry
  private readonly tokens: SignedTokens
  private readonly traffic: TrafficService
  private readonly clock: Clock

  constructor(
    @Inject(REGISTRY) registry: Registry,
    @Inject(SignedTokens) tokens: SignedTokens,
    @Inject(TrafficService) traffic: TrafficService,
    @Inject(CLOCK) clock: Clock,
  ) {
    this.registry = registry
    this.tokens = tokens
    this.traffic = traffic
    this.clock = clock
  }

  /** Returns the address of a page with a token that lets its tracker pick one element within ten minutes. */
  async link(app: App, sent: string): Promise<PickerLink> {
    const url = URL.parse(sent)
    if (!url || !/^https?:$/.test(url.protocol)) throw invalidUrl('must be a web address')
    if (url.username !== '' || url.password !== '') throw invalidUrl('must have no user and no password')
    await this.checkIsOfApp(app, url)
    await this.makeRoom(app)
    const id = randomBytes(ID_BYTES).toString('base64url')
    const { host } = url
    const { token, expiresAt } = await this.tokens.sign('pick', app.id, pickSubject({ id, host }), LIFETIME_MS)
    await this.registry.picks.put(app.id, id, { id, host, expires_at: expiresAt })
    url.hash = `${beforeParameter(url.hash)}${PARAMETER}=${token}`
    return { id, url: url.href, expires_at: new Date(expiresAt).toISOString() }
  }

  /** Returns the element that was picked on the page of a link, if any was yet. */
  async picked(app: App, id: string): Promise<PickAnswer> {
    const picking = await this.registry.picks.get(app.id, id)
    if (!picking || !this.isOpen(picking))
      throw new HopperError('HOP_NOT_FOUND', 'The link of the picker has expired; get another one.')
    const { picked, expires_at } = picking
    return { ...(picked && { picked }), expires_at: new Date(expires_at).toISOString() }
  }

  /** A link may only lead to pages of the app: an admin who follows it carries a token there. */
  private async checkIsOfApp(app: App, url: URL): Promise<void> {
    if (app.origins.length > 0) {
      if (app.origins.includes(url.origin)) return
      throw invalidUrl(`must be a page of one of the app's origins`)
    }
    const hostOf = (page: string): string => page.split('/', 1)[0]!
    const host = hostOf(pageOf(url.href))
    const { rows } = await this.traffic.pages(app, {})
    if (!rows.some((row) => hostOf(row.url) === host))
      throw invalidUrl(`must be a page of a host seen in the last 7 days; the app's "origins" can name others`)
  }

  /** Removes links that have expired, and the oldest ones above the bound. */
  private async makeRoom(app: App): Promise<void> {
    const all = await this.registry.picks.list(app.id)
    const open = all.filter((picking) => this.isOpen(picking)).sort((a, b) => b.expires_at - a.expires_at)
    const kept = new Set(open.slice(0, limits.picksPerAppMax - 1))
    for (const picking of all) if (!kept.has(picking)) await this.registry.picks.remove(app.id, picking.id)
  }

  private isOpen({ expires_at }: Picking): boolean {
    return expires_at > this.clock()
  }
}

/**
 * Returns the beginning of the fragment, to which the token is appended. If the fragment is a route, it is written as a
 * parameter that routers understand.
 */
function beforeParameter(fragment: string): string {
  if (fragment === '') return ''
  return /^#!?\/[^?]*$/.test(fragment) ? `${fragment}?` : `${fragment}&`
}

function invalidUrl(message: string): HopperError {
  return invalidFields([{ field: 'url', message }])
}
