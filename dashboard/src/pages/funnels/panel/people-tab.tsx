import { useMemo, type ReactNode } from 'react'
import type { JourneyPersonRow, PersonRow } from '@hopper/contracts'
import { appPath } from '../../../api/paths.ts'
import { PAGE_ROWS, personColumns, QueriedPeople } from '../../../parts/people/queried-people.tsx'
import { useScope } from '../../../state/scope.tsx'
import { peopleQuestion } from '../funnel-question.ts'
import type { PanelProps } from './panel-props.ts'

const ofFunnels = { steps: 0, cause: 0, next: 0 } satisfies Record<Exclude<keyof PersonRow, keyof JourneyPersonRow>, 0>
const columns = [...personColumns, ...Object.keys(ofFunnels)]

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
