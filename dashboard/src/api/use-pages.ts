import { useMemo } from 'react'
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
  const { client, changes } = useSession()
  const query = useInfiniteQuery({
    queryKey: ['pages', path],
    queryFn: ({ pageParam, signal }) =>
      client.get<T>(pageParam === '' ? path : `${path}&cursor=${encodeURIComponent(pageParam)}`, signal),
    initialPageParam: '',
    getNextPageParam: ({ next }) => next,
    placeholderData: keepPreviousData,
    refetchInterval: () => refetchMs(path, live, changes),
  })
  const { data, hasNextPage, isFetchingNextPage, fetchNextPage } = query
  const pages = useMemo(() => data?.pages, [data])
  return {
    ...reportOf({ ...query, data: pages }),
    hasMore: hasNextPage,
    isLoadingMore: isFetchingNextPage,
    more: () => void fetchNextPage(),
  }
}
