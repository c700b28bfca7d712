import { useMemo, useState, type ReactNode } from 'react'
import type { Meta, PageViews, Value } from '@hopper/contracts'
import { reportPath } from '../../api/paths.ts'
import { useReport } from '../../api/use-report.ts'
import { formatCount } from '../../format/numbers.ts'
import { ReportView } from '../../parts/states/report-view.tsx'
import { SearchField } from '../../parts/search-field.tsx'
import { Skeleton } from '../../parts/states/skeleton.tsx'
import { useScope } from '../../state/scope.tsx'
import { useSearchState } from '../../state/use-search.ts'
import { words } from '../../words.ts'
import { groupOf, type PageGroup, type PlaceName } from './journey-places.ts'
import { EVENT_KEY } from './journey-question.ts'
import { journeyWords } from './journey-words.ts'

const SHOWN = 60

interface Place {
  readonly value: string
  readonly name: string
  /** views of its pages, or events */
  readonly count: number
}

interface Props {
  groups: readonly PageGroup[]
  pages: PageViews['rows']
  nameOf: PlaceName
  /** called with undefined for the first place of everybody */
  choose: (place: string | undefined) => void
}

/** The places that journeys can start or end at: stages, pages or events, the most used first. */
export function PlaceList({ groups, pages, nameOf, choose }: Props): ReactNode {
  const { search } = useSearchState()
  const places = useMemo(
    () => placesOf(search.places === undefined ? groups : [], pages, nameOf),
    [groups, pages, nameOf, search.places],
  )
  if (search.places === 'events') return <EventPlaces choose={choose} />
  return <Places places={places} label={journeyWords.search} choose={choose} />
}

function EventPlaces({ choose }: { choose: Props['choose'] }): ReactNode {
  const { app, range } = useScope()
  const report = useReport<{ rows: readonly { value: Value; events: number }[]; meta: Meta }>(
    reportPath(app.id, `keys/${EVENT_KEY}/values`, range),
  )
  return (
    <ReportView report={report} skeleton={<Skeleton height={240} width={240} />}>
      {({ rows }) => (
        <Places
          places={rows.map(({ value, events }) => ({ value: String(value), name: String(value), count: events }))}
          label={journeyWords.searchEvents}
          choose={choose}
        />
      )}
    </ReportView>
  )
}

function Places({
  places,
  label,
  choose,
}: {
  places: readonly Place[]
  label: string
  choose: Props['choose']
}): ReactNode {
  const [search, setSearch] = useState('')
  const wanted = search.trim().toLowerCase()
  const found = places.filter(({ name, value }) => `${name} ${value}`.toLowerCase().includes(wanted)).slice(0, SHOWN)
  return (
    <>
      <SearchField label={label} value={search} set={setSearch} autoFocus />
      <div className="options tall">
        {wanted === '' && (
          <button type="button" onClick={() => choose(undefined)}>
            {journeyWords.anywhere}
          </button>
        )}
        {found.map(({ value, name, count }) => (
          <button key={value} type="button" onClick={() => choose(value)}>
            <bdi className="cut">{name === '' ? words.none : name}</bdi>
            <span className="hint number end">{formatCount(count)}</span>
          </button>
        ))}
        {found.length === 0 && <p className="nothing">{journeyWords.noPlace}</p>}
      </div>
    </>
  )
}

function placesOf(groups: readonly PageGroup[], pages: PageViews['rows'], nameOf: PlaceName): Place[] {
  const counts = new Map<string, number>()
  for (const { url, views } of pages) {
    const value = groupOf(groups, url)?.pattern ?? url
    counts.set(value, (counts.get(value) ?? 0) + views)
  }
  return [...counts]
    .map(([value, count]) => ({ value, name: nameOf({ value }), count }))
    .sort((a, b) => b.count - a.count)
}
