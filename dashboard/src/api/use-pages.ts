import { useCallback, useMemo } from 'react'
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import { useSession } from './session.tsx'
import { refetchMs, reportOf, type Report } from './use-report.ts'

/** An answer of which there may be more behind a cursor. */
interface Page {
  readonly next?: string
}

export interface Pages<T> extends Report<readonly T[]> {
  readonly hasMore: boolean
  readonly isLoadingMore: boolean
  readonly more: () => void
}

/** Loads the pages of an answer, one after another; when it changes, all that were shown are loaded again. */
export function usePages<T extends Page>(path: string, live = false): Pages<T> {
  return usePagesOf<T>(path, undefined, live)
}

/** Asks a question with a body page by page, like `usePages`. */
export function useQueriedPages<T extends Page>(path: string, body: object, live: boolean): Pages<T> {
  return usePagesOf<T>(path, body, live)
}

function usePagesOf<T extends Page>(path: string, body: object | undefined, live: boolean): Pages<T> {
  const { client, changes } = useSession()
  const query = useInfiniteQuery({
    queryKey: ['pages', path, body],
    queryFn: ({ pageParam: cursor, signal }) =>
      body === undefined
        ? client.get<T>(cursor === '' ? path : `${path}&cursor=${encodeURIComponent(cursor)}`, signal)
        : client.query<T>(path, cursor === '' ? body : { ...body, cursor }, signal),
    initialPageParam: '',
    getNextPageParam: ({ next }) => next,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => refetchMs(path, live, changes, state.dataUpdateCount),
  })
  const { data, hasNextPage, isFetchingNextPage, fetchNextPage } = query
  const pages = useMemo(() => data?.pages, [data])
  const more = useCallback(() => {
    if (!isFetchingNextPage) void fetchNextPage()
  }, [fetchNextPage, isFetchingNextPage])
  return {
    ...reportOf({ ...query, data: pages }),
    hasMore: hasNextPage,
    isLoadingMore: isFetchingNextPage,
    more,
  }
}
