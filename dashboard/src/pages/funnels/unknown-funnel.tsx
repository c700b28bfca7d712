import type { ReactNode } from 'react'
import { NotFound } from '../../frame/not-found.tsx'
import { AppLink } from '../../parts/app-link.tsx'
import { useScope } from '../../state/scope.tsx'
import { words } from '../../words.ts'

/** Shows that the app has no funnel with the id of the address, with a way to those that it has. */
export function UnknownFunnel({ id }: { id: string }): ReactNode {
  const { app } = useScope()
  return (
    <NotFound title={words.problems.noFunnel(id)}>
      <AppLink app={app.id} to="funnels">
        {words.problems.toFunnels}
      </AppLink>
    </NotFound>
  )
}
