import { useMemo, type ReactNode } from 'react'
import type { PersonRow } from '@hopper/contracts'
import { appPath } from '../../../api/paths.ts'
import { PAGE_ROWS, QueriedPeople } from '../../../parts/people/queried-people.tsx'
import { useScope } from '../../../state/scope.tsx'
import { peopleQuestion } from '../funnel-question.ts'
import type { PanelProps } from './panel-props.ts'

const columns = Object.keys({
  id: 0,
  name: 0,
  device: 0,
  source: 0,
  country: 0,
  entered_at: 0,
  last_at: 0,
  last_page: 0,
  steps: 0,
  cause: 0,
  next: 0,
} satisfies Record<keyof PersonRow, 0>)

/** The people behind a number of a funnel: exactly as many as it says. */
export default function PeopleTab({ funnel, of }: PanelProps): ReactNode {
  const scope = useScope()
  const body = useMemo(() => peopleQuestion(scope, funnel.id, of, PAGE_ROWS), [scope, funnel.id, of])
  return (
    <QueriedPeople
      path={appPath(scope.app.id, 'people/query')}
      body={body}
      columns={columns}
      name={`people-${funnel.id}`}
      stages={funnel.stages.length}
    />
  )
}
