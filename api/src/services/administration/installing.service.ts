import { Inject, Injectable } from '@nestjs/common'
import { HopperError, type App } from '@hopper/contracts'
import { SignedTokens } from '@hopper/storage'
import type { PickerLink, TrackerTag } from '../../answers/installing.ts'
import { invalidFields } from '../../http/checked.ts'
import type { TrackerScript } from '../../options.ts'
import { INGEST_URL, PUBLIC_URL, TRACKER_SCRIPT } from '../../tokens.ts'

const PICKER_MS = 600_000
const PICKER_PARAMETER = 'hopper-pick'

/** Helps to install the tracker in the pages of a site, and to pick elements there. */
@Injectable()
export class InstallingService {
  private readonly tokens: SignedTokens
  private readonly origin: string
  private readonly script: TrackerScript | undefined

  constructor(
    @Inject(SignedTokens) tokens: SignedTokens,
    @Inject(PUBLIC_URL) publicUrl: string,
    @Inject(INGEST_URL) ingestUrl: string | undefined,
    @Inject(TRACKER_SCRIPT) script: TrackerScript | undefined,
  ) {
    this.tokens = tokens
    this.origin = ingestUrl ?? publicUrl
    this.script = script
  }

  /** Returns the script tags of an app. Keys are stored as hashes, so the tags have a placeholder for the write key. */
  tag(app: App): TrackerTag {
    const { hash, integrity } = this.script?.(app) ?? notBuilt()
    const url = `${this.origin}/hopper.${hash}.js`
    const rest = `data-key="YOUR_WRITE_KEY"></script>`
    return {
      html: `<script async src="${this.origin}/hopper.js?key=YOUR_WRITE_KEY" ${rest}`,
      pinned_html: `<script async src="${url}" integrity="${integrity}" crossorigin="anonymous" ${rest}`,
      url,
      integrity,
    }
  }

  /** Returns the address of a page with a token that lets its tracker pick elements for ten minutes. */
  async pickerLink(app: App, sent: string): Promise<PickerLink> {
    const url = URL.parse(sent)
    if (!url || !/^https?:$/.test(url.protocol))
      throw invalidFields([{ field: 'url', message: 'must be a web address' }])
    if (app.origins.length > 0 && !app.origins.includes(url.origin))
      throw invalidFields([{ field: 'url', message: `must be a page of one of the app's origins` }])
    const { token, expiresAt } = await this.tokens.sign('pick', app.id, url.host, PICKER_MS)
    url.hash = `${url.hash === '' ? '' : `${url.hash}&`}${PICKER_PARAMETER}=${token}`
    return { url: url.href, expires_at: new Date(expiresAt).toISOString() }
  }
}

function notBuilt(): never {
  throw new HopperError('HOP_NOT_FOUND', 'The tracker is not built; "npm run build" builds it.')
}
