import { useEffect } from 'react'
import { useQueryClient, type Query } from '@tanstack/react-query'
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
  const { changes } = useSession()
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
    let source: EventSource | undefined
    const disconnect = (): void => {
      source?.close()
      source = undefined
      changes.isConnected = false
    }
    const connect = (isBack: boolean): void => {
      let isBehind = isBack
      // a report that is read once the server watches is at least as new as the state that it compares with
      const catchUp = (): void => {
        if (isBehind) void queries.invalidateQueries()
        isBehind = false
      }
      source = new EventSource(appPath(app, 'changes', { from, to }))
      source.addEventListener('open', () => {
        changes.isConnected = true
        catchUp()
      })
      source.addEventListener('error', () => {
        changes.isConnected = false
        catchUp()
      })
      source.addEventListener('changes', ({ data }: MessageEvent<string>) =>
        refresher.add((JSON.parse(data) as { reports: readonly string[] }).reports),
      )
    }
    const onVisibility = (): void => {
      if (document.visibilityState !== 'visible') disconnect()
      else if (!source) connect(true)
    }
    if (document.visibilityState === 'visible') connect(false)
    document.addEventListener('visibilitychange', onVisibility)
    return () => {
      document.removeEventListener('visibilitychange', onVisibility)
      disconnect()
    }
  }, [app, from, to, isLive, changes, queries])
}

/** Returns whether the answer at a path is one of these reports of an app. */
export function concerns(path: string, app: string, reports: readonly string[]): boolean {
  const prefix = appPath(app, '')
  if (!path.startsWith(prefix)) return false
  const call = path.slice(prefix.length).split('?', 1)[0]!
  return reports.some((report) => call === report || call.startsWith(`${report}/`))
}
