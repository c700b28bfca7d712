import type { ReactNode } from 'react'
import { toCsv, type CsvRow, type JourneyPersonRow } from '@hopper/contracts'
import { useSession } from '../../api/session.tsx'
import { useQueriedPages } from '../../api/use-pages.ts'
import { useScope } from '../../state/scope.tsx'
import { words } from '../../words.ts'
import { ReportView } from '../states/report-view.tsx'
import { SaveButton } from '../buttons/save-button.tsx'
import { Skeleton } from '../states/skeleton.tsx'
import { PEOPLE_MAX, PeopleList } from './people-list.tsx'
import { peopleWords } from './people-words.ts'
import type { ListedRow } from './person-item.tsx'

/** Columns of the CSV file that every list of people has. */
export const personColumns = Object.keys({
  id: 0,
  name: 0,
  device: 0,
  source: 0,
  country: 0,
  entered_at: 0,
  last_at: 0,
  last_page: 0,
} satisfies Record<keyof JourneyPersonRow, 0>)

/** Rows of a page of the list. */
export const PAGE_ROWS = 200
const CSV_PAGE_ROWS = 1_000

/** A page of people, of `people/query` or of `journeys/people`. */
interface PeoplePage {
  readonly total: number
  readonly people: readonly (ListedRow & CsvRow)[]
  readonly next?: string
}

interface Props {
  /** the call that lists the people */
  path: string
  /** the question for the first page; must stay the same object while it is the same question */
  body: object
  columns: readonly string[]
  /** of the CSV file */
  name: string
  /** number of stages of the funnel */
  stages?: number
}

/** The people behind a number: exactly as many as it says, in a list of which only what is in view is drawn. */
export function QueriedPeople({ path, body, columns, name, stages }: Props): ReactNode {
  const { live } = useScope()
  const { client } = useSession()
  const report = useQueriedPages<PeoplePage>(path, body, live)
  const loadAll = async (): Promise<string> => {
    const rows: CsvRow[] = []
    let next: string | undefined
    do {
      const page: PeoplePage = await client.query<PeoplePage>(path, {
        ...body,
        limit: CSV_PAGE_ROWS,
        ...(next === undefined ? {} : { cursor: next }),
      })
      rows.push(...page.people)
      next = page.next
    } while (next !== undefined && rows.length < PEOPLE_MAX)
    return toCsv(columns, rows)
  }
  const listId = JSON.stringify(body)
  return (
    <ReportView report={report} skeleton={<Skeleton height={400} />}>
      {(pages) =>
        pages[0]!.total === 0 ? (
          <p className="nothing">{words.funnels.panel.noOne}</p>
        ) : (
          <>
            <PeopleList
              key={listId}
              listId={listId}
              rows={pages.flatMap(({ people }) => people)}
              {...(stages === undefined ? {} : { stages })}
              {...(report.hasMore ? { more: report.more } : {})}
            />
            <div className="row">
              <SaveButton csv={loadAll} name={name} label={peopleWords.csv}>
                {peopleWords.csv}
              </SaveButton>
            </div>
          </>
        )
      }
    </ReportView>
  )
}
