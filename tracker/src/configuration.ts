import type { EventOf, TrackerConfig } from '@hopper/contracts'
import { endpoint } from './tag.ts'

const retryMs = 5000

/** Interesting element, its node under the pointer, and the time since when it is there (0: clicked). */
export interface Watched {
  xpath: string
  node?: Node | void
  since?: number | undefined
  /** pointer type at that time; undefined where the browser does not report it */
  by?: EventOf<'btn_time'>['pointer']
}

/** Interesting elements, once they are known. */
export let watched: Watched[] = []

const request = (done: (funnels: TrackerConfig['funnels']) => void): unknown =>
  fetch(endpoint('config'))
    .then((answer) => answer.json())
    .then(({ funnels, elements }: TrackerConfig) => {
      watched = [...elements]
      done(funnels)
    })
    .catch(() => setTimeout(request, retryMs, done))

/** The app's funnels; callers that need them earlier wait, in order. */
export const funnels = new Promise(request)
