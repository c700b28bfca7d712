import { useEffect } from 'react'
import { useMatch, useRouter, type NavigateOptions } from '@tanstack/react-router'

/**
 * Redirects to another page in place of the one that shows it, once, unless the reader is already on the way to
 * another: while the code of the next page is loaded, the old one is still shown and receives its answers.
 */
export function Redirect({ to, params }: Required<Pick<NavigateOptions, 'to' | 'params'>>): null {
  const router = useRouter()
  const matchedPath = useMatch({ strict: false, select: ({ pathname }) => pathname })
  useEffect(() => {
    if (withoutSlash(router.latestLocation.pathname) === withoutSlash(matchedPath))
      void router.navigate({ to, params, replace: true })
  }, [])
  return null
}

function withoutSlash(path: string): string {
  return path.replace(/\/$/, '')
}
