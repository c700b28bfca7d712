import { useCallback } from 'react'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { withSearch, type Search } from './search.ts'

const route = getRouteApi('/a/$app')

export type SearchChange = { readonly [Name in keyof Search]?: Search[Name] | undefined }

/** Returns the search parameters of the address, and a function that changes them. */
export function useSearchState(): {
  search: Search
  change: (change: SearchChange, options?: { readonly replace?: boolean }) => void
} {
  const search = route.useSearch()
  const navigate = useNavigate()
  const change = useCallback(
    (wanted: SearchChange, { replace = false }: { readonly replace?: boolean } = {}) =>
      void navigate({
        to: '.',
        search: (before: Search) => withSearch(before, wanted),
        replace,
        resetScroll: false,
      }),
    [navigate],
  )
  return { search, change }
}
