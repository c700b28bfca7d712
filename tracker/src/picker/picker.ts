import type { PickBody, TrackerConfig } from '@hopper/contracts'
import { Overlay } from './overlay.ts'

/** Begins to pick an element of this page, if the token in its address allows it. */
async function begin(): Promise<void> {
  const [, before, token = ''] = /^(.*?)[#&?]hopper-pick=(.*)$/.exec(location.href) ?? []
  if (before === undefined) return
  history.replaceState(history.state, '', before)
  standIn()
  try {
    const config = await fetch(`${endpoint('config')}&pick=${encodeURIComponent(token)}`, { cache: 'no-store' })
    if (!((await config.json()) as TrackerConfig).pick) throw new TypeError('the token is not valid')
  } catch {
    // this is a page like any other, and is tracked
    return location.reload()
  }
  new Overlay((picked) => send({ token, picked })).open()
}

/** Sends the picked element; returns why that failed, undefined once it is accepted. */
async function send(body: PickBody): Promise<string | undefined> {
  const answer = await fetch(endpoint('picks'), { method: 'POST', body: JSON.stringify(body) }).catch(() => undefined)
  if (answer?.ok) return undefined
  if (answer?.status === 403) return 'This link has been used or has expired. Get another one in Hopper.'
  return 'Hopper does not respond. Try again.'
}

/** Returns the address of a call: this script is served beside it, with the key of the app. */
function endpoint(name: string): string {
  return import.meta.url.replace('/picker.js', `/${name}`)
}

/** Takes the calls of the page, which record nothing while somebody picks. */
function standIn(): void {
  const nothing = (): void => {}
  const methods = { track: nothing, identify: nothing, reset: nothing, consent: nothing, optOut: nothing }
  window.hopper = Object.assign(() => {}, methods)
}

void begin()
