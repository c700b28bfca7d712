import { useCallback, useSyncExternalStore } from 'react'
import { addressOf, readView, type View } from './view.ts'

const MOVED = 'hopper:moved'

/** Returns the view in the URL, and a function to navigate to another one. */
export function useView(): { view: View; go: (change: Partial<View>) => void } {
  const address = useSyncExternalStore(subscribe, () => location.pathname + location.search)
  const [pathname = '', search = ''] = splitAddress(address)
  const go = useCallback((change: Partial<View>) => {
    const next = addressOf({ ...readView(location), ...change })
    if (next === location.pathname + location.search) return
    history.pushState(null, '', next)
    dispatchEvent(new Event(MOVED))
  }, [])
  return { view: readView({ pathname, search }), go }
}

function splitAddress(address: string): [string, string] {
  const at = address.indexOf('?')
  return at < 0 ? [address, ''] : [address.slice(0, at), address.slice(at)]
}

function subscribe(listener: () => void): () => void {
  addEventListener('popstate', listener)
  addEventListener(MOVED, listener)
  return () => {
    removeEventListener('popstate', listener)
    removeEventListener(MOVED, listener)
  }
}
