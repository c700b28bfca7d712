import { useMemo, type ReactNode } from 'react'
import type { JourneyPeopleQuery } from '@hopper/contracts'
import { appPath } from '../../api/paths.ts'
import { PAGE_ROWS, personColumns, QueriedPeople } from '../../parts/people/queried-people.tsx'
import { useScope } from '../../state/scope.tsx'
import { useSearchState } from '../../state/use-search.ts'
import type { PageGroup } from './journey-places.ts'
import { journeyPeopleQuestion } from './journey-question.ts'

/** The people of a node or a link of journeys: exactly as many as it says. */
export function JourneyPeople({
  node,
  from,
  to,
  groups,
}: {
  /** id of a node; or the ids of the ends of a link */
  node?: string
  from?: string
  to?: string
  groups: readonly PageGroup[]
}): ReactNode {
  const scope = useScope()
  const { start, end, depth, places } = useSearchState().search
  const body = useMemo((): JourneyPeopleQuery => {
    const part = node === undefined ? { link: { from: from!, to: to! } } : { node }
    const shown = { ...(start && { start }), ...(end && { end }), ...(depth && { depth }), ...(places && { places }) }
    return journeyPeopleQuestion(scope, shown, groups, part, PAGE_ROWS)
  }, [scope, groups, node, from, to, start, end, depth, places])
  return (
    <QueriedPeople
      path={appPath(scope.app.id, 'journeys/people')}
      body={body}
      columns={personColumns}
      name="journeys-people"
    />
  )
}
