import { within } from './element.ts'
import { config } from './configuration.ts'
import { saveDevice, current } from './session.ts'
import { endpoint } from './settings.ts'

/** Parameter of a link that hands the device over. */
const parameter = '_hopper'
/** a token is short-lived, so a link gets another one after this time */
const freshMs = 60_000

let last: Element | null | undefined
let lastAt: number

/** Puts a token into a link to a host of the same app, when the pointer or the focus comes to it. */
export const prepareLink = async (target: Element): Promise<void> => {
  const link = within(target, 'a') as HTMLAnchorElement | null
  const now = Date.now()
  if (config?.tracker?.cross_domains?.includes(link!.host) && (link !== last || now - lastAt > freshMs)) {
    last = link
    lastAt = now
    const answer = await fetch(endpoint('link'), { method: 'POST', body: JSON.stringify({ device_id: current().d }) })
    const url = new URL(link!.href)
    url.searchParams.set(parameter, ((await answer.json()) as { token: string }).token)
    link!.href = url.href
  }
}

/** Adopts the device of the site from which the visitor comes, and takes its token out of the address. */
export const arrive = async (): Promise<void> => {
  const url = new URL(location.href)
  const token = url.searchParams.get(parameter)
  if (token) {
    url.searchParams.delete(parameter)
    history.replaceState(history.state, '', url)
    const answer = await fetch(`${endpoint('link')}&token=${encodeURIComponent(token)}`)
    const { device_id } = (await answer.json()) as { device_id: string }
    saveDevice({ ...current(), d: device_id || current().d })
  }
}
