import { useDeferredValue, useState, type ReactNode } from 'react'
import { reportPath } from '../../api/paths.ts'
import { usePages } from '../../api/use-pages.ts'
import { formatCount } from '../../format/numbers.ts'
import { shownId } from '../../format/persons.ts'
import { formatInstant } from '../../format/times.ts'
import { PageFrame } from '../../frame/page-frame.tsx'
import { AppLink } from '../../parts/app-link.tsx'
import { PageTitle } from '../../parts/page-title.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { SearchField } from '../../parts/search-field.tsx'
import { Skeleton } from '../../parts/states/skeleton.tsx'
import { useScope } from '../../state/scope.tsx'
import { peopleOrders, type PeopleOrder } from '../../state/search.ts'
import { useSearchState } from '../../state/use-search.ts'
import { words } from '../../words.ts'
import { attributesOf, type ListedPerson, type Persons } from './persons.ts'

const PER_PAGE = 50
const TRAITS_SHOWN = 3

/** Everybody with events in the range: search by id, device or trait, in an order, page by page. */
export default function PeoplePage(): ReactNode {
  const { app, range, live, chips } = useScope()
  const { search, change } = useSearchState()
  const [typed, setTyped] = useState(search.q ?? '')
  const wanted = useDeferredValue(typed.trim())
  const order = search.order ?? 'last_seen'
  const report = usePages<Persons>(
    reportPath(app.id, 'persons', range, {
      limit: String(PER_PAGE),
      order: `-${order}`,
      search: wanted === '' ? undefined : wanted,
    }),
    live,
  )
  return (
    <PageFrame bar>
      <div className="page-head">
        <PageTitle app={app.name}>{words.people.title}</PageTitle>
      </div>
      <div className="card wide">
        <div className="row people-tools">
          <SearchField
            label={words.people.search}
            value={typed}
            set={(text) => {
              setTyped(text)
              change({ q: text.trim() === '' ? undefined : text.trim() }, { replace: true })
            }}
          />
          <label className="inline">
            {words.people.order}
            <select
              value={order}
              onChange={(event) => change({ order: event.target.value as PeopleOrder }, { replace: true })}
            >
              {peopleOrders.map((one) => (
                <option key={one} value={one}>
                  {words.people.orders[one]}
                </option>
              ))}
            </select>
          </label>
        </div>
        {chips.length > 0 && <p className="hint">{words.people.unfiltered}</p>}
        <ReportView report={report} skeleton={<Skeleton height={400} />}>
          {(pages) => (
            <>
              <PeopleTable people={pages.flatMap(({ persons }) => persons)} />
              {report.hasMore && (
                <button type="button" disabled={report.isLoadingMore} onClick={report.more}>
                  {words.people.more}
                </button>
              )}
            </>
          )}
        </ReportView>
      </div>
    </PageFrame>
  )
}

function PeopleTable({ people }: { people: readonly ListedPerson[] }): ReactNode {
  const { app } = useScope()
  const text = words.people
  if (people.length === 0) return <p className="nothing">{text.none}</p>
  return (
    <div className="table-scroll" tabIndex={0} role="region" aria-label={text.title}>
      <table className="people-table">
        <thead>
          <tr>
            <th scope="col">{text.who}</th>
            <th scope="col">{text.traits}</th>
            <th scope="col" className="number">
              {text.devices}
            </th>
            <th scope="col" className="number">
              {text.events}
            </th>
            <th scope="col">{text.firstSeen}</th>
            <th scope="col">{text.lastSeen}</th>
          </tr>
        </thead>
        <tbody>
          {people.map(({ id, devices, events, first_seen, last_seen, traits }) => (
            <tr key={id}>
              <th scope="row" title={id}>
                <AppLink app={app.id} to={`people/${encodeURIComponent(id)}`}>
                  <bdi className="cut">{shownId(id)}</bdi>
                </AppLink>
              </th>
              <td>
                <bdi>
                  {attributesOf(traits)
                    .slice(0, TRAITS_SHOWN)
                    .map(([name, value]) => `${name}: ${value}`)
                    .join(', ')}
                </bdi>
              </td>
              <td className="number">{formatCount(devices)}</td>
              <td className="number">{formatCount(events)}</td>
              <td>{formatInstant(app.timezone, first_seen)}</td>
              <td>{formatInstant(app.timezone, last_seen)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
