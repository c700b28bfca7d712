import type { TrackerConfig } from '@hopper/contracts'
import { backoffMs, call } from './queue.ts'
import { endpoint } from './settings.ts'

/** The app's configuration, once it is known. */
export let config: TrackerConfig | undefined

let resolve: (known: TrackerConfig) => void
/** For those who need it earlier. */
export const whenConfigured = new Promise<TrackerConfig>((known) => (resolve = known))

/** Requests the configuration until it has arrived. */
export const configure = async (): Promise<void> => {
  const answer = await call(endpoint('config'))
  if (answer) resolve((config = (await answer.json().catch(() => ({}))) as TrackerConfig))
  else setTimeout(configure as () => void, backoffMs)
}
