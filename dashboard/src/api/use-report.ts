import { keepPreviousData, useQuery } from '@tanstack/react-query'
import type { ChangeSignal } from './change-signal.ts'
import { useSession } from './session.tsx'

/** Polling interval of the state of Hopper, whose changes no stream reports. */
const STATUS_MS = 15_000
/** Polling interval of an answer after its first, in case the stream began after it. */
const SECOND_MS = 60_000
/** Polling interval of an answer whose changes are announced, and that was read since the stream began. */
const ANNOUNCED_MS = 5 * 60_000

export interface Report<T> {
  /** the newest answer; while another question is loading, the previous answer */
  readonly data?: T
  readonly error?: Error
  /** true while the data belongs to the previous question */
  readonly stale: boolean
  readonly reload: () => void
}

/**
 * Loads the answer of a path and loads it again while the tab is visible, often while `live`, or every `everyMs`.
 */
export function useReport<T>(path: string | null, live = false, everyMs?: number): Report<T> {
  const { client, changes } = useSession()
  const query = useQuery({
    queryKey: ['report', path],
    queryFn: ({ signal }) => client.get<T>(path!, signal),
    enabled: path !== null,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => everyMs ?? refetchMs(path ?? '', live, changes, state.dataUpdateCount),
  })
  return reportOf(query)
}

/** Returns the interval at which an answer that was read `reads` times is requested again; false for never. */
export function refetchMs(path: string, live: boolean, changes: ChangeSignal, reads: number): number | false {
  if (!live) return changes.settledMs
  if (!path.includes('/apps/')) return STATUS_MS
  if (!changes.isConnected) return changes.pollMs
  return reads > 1 ? ANNOUNCED_MS : SECOND_MS
}

interface QueryState<T> {
  readonly data: T | undefined
  readonly error: Error | null
  readonly isPlaceholderData: boolean
  readonly refetch: () => Promise<unknown>
}

/** Returns the state of a query as parts show it. */
export function reportOf<T>({ data, error, isPlaceholderData, refetch }: QueryState<T>): Report<T> {
  return {
    stale: isPlaceholderData,
    reload: () => void refetch(),
    ...(data === undefined ? {} : { data }),
    ...(error ? { error } : {}),
  }
}
