import { useMemo, type ReactNode } from 'react'
import { Download } from 'lucide-react'
import { toCsv, type PeopleAnswer, type PersonRow } from '@hopper/contracts'
import { appPath } from '../../../api/paths.ts'
import { useSession } from '../../../api/session.tsx'
import { useQueriedPages } from '../../../api/use-pages.ts'
import { Icon } from '../../../parts/icon.tsx'
import { PEOPLE_MAX, PeopleList } from '../../../parts/people/people-list.tsx'
import { peopleWords } from '../../../parts/people/people-words.ts'
import { ReportView } from '../../../parts/report-view.tsx'
import { SaveCsvButton } from '../../../parts/save-csv-button.tsx'
import { Skeleton } from '../../../parts/skeleton.tsx'
import { useScope } from '../../../state/scope.tsx'
import { words } from '../../../words.ts'
import { peopleQuestion } from '../funnel-question.ts'
import type { PanelProps } from './panel-props.ts'

const PAGE_ROWS = 200
const CSV_PAGE_ROWS = 1_000
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

/** The people behind a number: exactly as many as it says. */
export default function PeopleTab({ funnel, of }: PanelProps): ReactNode {
  const scope = useScope()
  const { app, live } = scope
  const { client } = useSession()
  const path = appPath(app.id, 'people/query')
  const body = useMemo(() => peopleQuestion(scope, funnel.id, of, PAGE_ROWS), [scope, funnel.id, of])
  const report = useQueriedPages<PeopleAnswer>(path, body, live)
  const loadAll = async (): Promise<string> => {
    const rows: PersonRow[] = []
    let next: string | undefined
    do {
      const page = await client.query<PeopleAnswer>(path, {
        ...body,
        limit: CSV_PAGE_ROWS,
        ...(next === undefined ? {} : { cursor: next }),
      })
      rows.push(...page.people)
      next = page.next
    } while (next !== undefined && rows.length < PEOPLE_MAX)
    return toCsv(columns, rows)
  }
  return (
    <ReportView report={report} skeleton={<Skeleton height={400} />}>
      {(pages) =>
        pages[0]!.total === 0 ? (
          <p className="nothing">{words.funnels.panel.noOne}</p>
        ) : (
          <>
            <PeopleList
              key={JSON.stringify(body)}
              listId={JSON.stringify(body)}
              rows={pages.flatMap(({ people }) => people)}
              stages={funnel.stages.length}
              {...(report.hasMore ? { more: report.more } : {})}
            />
            <div className="row">
              <SaveCsvButton load={loadAll} name={`people-${funnel.id}`} label={peopleWords.csv}>
                <Icon of={Download} /> {peopleWords.csv}
              </SaveCsvButton>
            </div>
          </>
        )
      }
    </ReportView>
  )
}
