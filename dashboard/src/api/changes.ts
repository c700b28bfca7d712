import { useEffect } from 'react'
import { useQueryClient, type Query } from '@tanstack/react-query'
import type { Client } from './client.ts'
import { followStream } from './follow-stream.ts'
import { appPath } from './paths.ts'
import { Refresher } from './refresher.ts'
import { useSession } from './session.tsx'

interface Range {
  readonly from: string
  readonly to: string
}

/**
 * Reloads the reports on the page that the server announces as changed, while the tab is visible and `isLive`. When the
 * tab becomes visible again, all are reloaded.
 */
export function useChanges(app: string, { from, to }: Range, isLive: boolean): void {
  const { client, changes } = useSession()
  const queries = useQueryClient()
  useEffect(() => {
    if (!isLive) return
    const refresher = new Refresher(async (reports) => {
      const predicate = ({ queryKey: [, path] }: Query): boolean =>
        typeof path === 'string' && concerns(path, app, [...reports])
      const isLoading = queries.getQueryCache().findAll({ predicate, fetchStatus: 'fetching' }).length > 0
      await queries.invalidateQueries({ predicate }, { cancelRefetch: false })
      return isLoading
    })
    let following: AbortController | undefined
    const disconnect = (): void => {
      following?.abort()
      following = undefined
      changes.isConnected = false
    }
    const connect = (isBack: boolean): void => {
      following = new AbortController()
      void follow(client, appPath(app, 'changes', { from, to }), following.signal, isBack, {
        connected: (isConnected) => (changes.isConnected = isConnected),
        changed: (reports) => refresher.add(reports),
        missed: () => void queries.invalidateQueries(),
      })
    }
    const onVisibility = (): void => {
      if (document.visibilityState !== 'visible') disconnect()
      else if (!following) connect(true)
    }
    if (document.visibilityState === 'visible') connect(false)
    document.addEventListener('visibilitychange', onVisibility)
    return () => {
      document.removeEventListener('visibilitychange', onVisibility)
      disconnect()
    }
  }, [app, from, to, isLive, client, changes, queries])
}

interface ChangeListener {
  readonly connected: (isConnected: boolean) => void
  readonly changed: (reports: readonly string[]) => void
  /** called when changes may have passed unnoticed */
  readonly missed: () => void
}

/** Follows a stream of changes until it is aborted. */
async function follow(
  client: Client,
  path: string,
  signal: AbortSignal,
  isBack: boolean,
  { connected, changed, missed }: ChangeListener,
): Promise<void> {
  let isBehind = isBack
  let hasId = false
  await followStream(client, path, undefined, signal, {
    connected: (isConnected) => {
      connected(isConnected)
      // a report that is read once the server watches is at least as new as the state that it compares with
      if (isBehind) missed()
      // without an id the server does not know what was missed
      isBehind = !isConnected && !hasId
    },
    received: ({ event, data, id }) => {
      hasId ||= id !== undefined
      if (event === 'changes') changed((JSON.parse(data) as { reports: readonly string[] }).reports)
    },
  })
}

/** Returns whether the answer at a path is one of these reports of an app. */
export function concerns(path: string, app: string, reports: readonly string[]): boolean {
  const prefix = appPath(app, '')
  if (!path.startsWith(prefix)) return false
  const call = path.slice(prefix.length).split('?', 1)[0]!
  return reports.some((report) => call === report || call.startsWith(`${report}/`))
}
