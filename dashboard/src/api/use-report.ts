import { useEffect, useState } from 'react'
import { useSession } from './session.tsx'
import { shareUnchanged } from './share-unchanged.ts'

const POLL_MS = 2_000
/** A range that is over changes only when an event arrives late. */
const SETTLED_POLL_MS = 60_000
/** A slow answer is asked for less often: polling may take at most this part of the time. */
const LOAD_SHARE_MAX = 0.25

export interface Report<T> {
  /** the newest answer; while another path is loading, the one before */
  readonly data?: T
  readonly error?: Error
  /** true while the data belongs to an earlier path */
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
 * The answer of a path. Asks again by itself while the tab is seen, often while `live`; the state changes only when the
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
    const ask = async (): Promise<void> => {
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
      if (document.visibilityState === 'visible') void ask()
      else document.addEventListener('visibilitychange', again, { once: true, signal: aborted.signal })
    }
    void ask()
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
