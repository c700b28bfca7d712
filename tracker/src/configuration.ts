import type { EventOf, TrackerConfig } from '@hopper/contracts'
import { endpoint } from './tag.ts'

const retryMs = 5000

/** An interesting element, its node under the pointer, and since when (0: clicked). */
export interface Watched {
  xpath: string
  node?: Node | void
  since?: number | undefined
  /** what pointed at it then; undefined where the browser does not say */
  by?: EventOf<'btn_time'>['pointer']
}

/** The interesting elements, as soon as they are known. */
export let watched: Watched[] = []

const request = (done: (funnels: TrackerConfig['funnels']) => void): unknown =>
  fetch(endpoint('config'))
    .then((answer) => answer.json())
    .then(({ funnels, elements }: TrackerConfig) => {
      watched = [...elements]
      done(funnels)
    })
    .catch(() => setTimeout(request, retryMs, done))

/** The app's funnels; what comes before they are known waits for them, in order. */
export const funnels = new Promise(request)
