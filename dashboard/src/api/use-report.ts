import { useEffect, useState } from 'react'
import { useSession } from './session.tsx'
import { shareUnchanged } from './share-unchanged.ts'

const POLL_MS = 2_000
/** Poll interval of past ranges, which only late events change. */
const SETTLED_POLL_MS = 60_000
/** Maximum share of time spent loading; slow answers are polled less often. */
const LOAD_SHARE_MAX = 0.25

export interface Report<T> {
  /** the newest answer; while another path is loading, the previous answer */
  readonly data?: T
  readonly error?: Error
  /** true while the data belongs to the previous path */
  readonly stale: boolean
  readonly reload: () => void
}

interface State {
  path: string
  text: string
  data: unknown
  error?: Error
}

/**
 * Loads the answer of a path and polls it while the tab is visible, often while `live`. The state changes only if the
 * answer does.
 */
export function useReport<T>(path: string | null, live = false): Report<T> {
  const { client } = useSession()
  const [state, setState] = useState<State | null>(null)
  const [turn, setTurn] = useState(0)
  useEffect(() => {
    if (path === null) return
    const aborted = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const load = async (): Promise<void> => {
      const began = performance.now()
      try {
        const text = await client.text(path, aborted.signal)
        setState((was) =>
          was && was.path === path && was.text === text && !was.error
            ? was
            : { path, text, data: shareUnchanged(was?.data, JSON.parse(text)) },
        )
      } catch (error) {
        if (aborted.signal.aborted) return
        setState((was) => ({
          path,
          text: was?.path === path ? was.text : '',
          data: was?.path === path ? was.data : undefined,
          error: error as Error,
        }))
      }
      if (!aborted.signal.aborted)
        timer = setTimeout(
          again,
          Math.max(live ? POLL_MS : SETTLED_POLL_MS, (performance.now() - began) / LOAD_SHARE_MAX),
        )
    }
    const again = (): void => {
      if (document.visibilityState === 'visible') void load()
      else document.addEventListener('visibilitychange', again, { once: true, signal: aborted.signal })
    }
    void load()
    return () => {
      aborted.abort()
      clearTimeout(timer)
    }
  }, [client, path, live, turn])
  const reload = (): void => setTurn((n) => n + 1)
  if (!state || path === null) return { stale: false, reload }
  const { data, error } = state
  return {
    stale: state.path !== path,
    reload,
    ...(data === undefined ? {} : { data: data as T }),
    ...(error && state.path === path ? { error } : {}),
  }
}
