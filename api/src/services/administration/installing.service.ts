import { Inject, Injectable } from '@nestjs/common'
import { HopperError, type App } from '@hopper/contracts'
import type { TrackerTag } from '../../answers/installing.ts'
import type { TrackerScript } from '../../options.ts'
import { INGEST_URL, PUBLIC_URL, TRACKER_SCRIPT } from '../../tokens.ts'

/** Helps to install the tracker in the pages of a site. */
@Injectable()
export class InstallingService {
  private readonly origin: string
  private readonly script: TrackerScript | undefined

  constructor(
    @Inject(PUBLIC_URL) publicUrl: string,
    @Inject(INGEST_URL) ingestUrl: string | undefined,
    @Inject(TRACKER_SCRIPT) script: TrackerScript | undefined,
  ) {
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
}

function notBuilt(): never {
  throw new HopperError('HOP_NOT_FOUND', 'The tracker is not built; "npm run build" builds it.')
}
