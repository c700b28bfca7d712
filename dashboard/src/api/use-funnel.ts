import { useCallback, useMemo, useState } from 'react'
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query'
import type { FunnelAnswer, FunnelQuery } from '@hopper/contracts'
import type { Progress } from './client.ts'
import { appPath } from './paths.ts'
import { useSession } from './session.tsx'
import { refetchMs, reportOf, type Report } from './use-report.ts'

export interface LongReport<T> extends Report<T> {
  /** of the running query; undefined until the server reports any */
  readonly progress?: Progress
  readonly loading: boolean
  /** ends the query, on the server as well */
  readonly stop: () => void
}

/** Asks `POST funnels/query`; equal questions of several parts are asked once. Null asks nothing. */
export function useFunnel(app: string, body: FunnelQuery | null, live: boolean): LongReport<FunnelAnswer> {
  return useLongQuery<FunnelAnswer>(appPath(app, 'funnels/query'), body, live)
}

/** Sends a query with a body that may run for long; null sends nothing. */
export function useLongQuery<T>(path: string, body: object | null, live: boolean): LongReport<T> {
  return useLong<T>(path, body ?? undefined, body !== null, live)
}

/** Loads an answer that may take long; a path of null loads nothing. */
export function useLongReport<T>(path: string | null, live: boolean): LongReport<T> {
  return useLong<T>(path ?? '', undefined, path !== null, live)
}

function useLong<T>(path: string, body: object | undefined, enabled: boolean, live: boolean): LongReport<T> {
  const { client, changes } = useSession()
  const queries = useQueryClient()
  const [progress, setProgress] = useState<Progress>()
  const queryKey = useMemo(() => ['query', path, body], [path, body])
  const query = useQuery({
    queryKey,
    queryFn: async ({ signal }) => {
      try {
        const isShown = queries.getQueryData(queryKey) !== undefined
        return await client.query<T>(path, body, signal, isShown ? undefined : setProgress)
      } finally {
        setProgress(undefined)
      }
    },
    enabled,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => refetchMs(path, live, changes, state.dataUpdateCount),
  })
  const stop = useCallback(() => void queries.cancelQueries({ queryKey }), [queries, queryKey])
  return {
    ...reportOf(query),
    loading: query.isFetching && (query.isPlaceholderData || query.data === undefined),
    stop,
    ...(progress ? { progress } : {}),
  }
}
