import { useState, type ReactNode } from 'react'
import { ChevronsUpDown } from 'lucide-react'
import type { Meta, Value } from '@hopper/contracts'
import { reportPath } from '../../api/paths.ts'
import { useReport } from '../../api/use-report.ts'
import { formatCount } from '../../format/numbers.ts'
import { Icon } from '../../parts/icon.tsx'
import { PopoverButton } from '../../parts/buttons/popover-button.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { SearchField } from '../../parts/search-field.tsx'
import { Skeleton } from '../../parts/states/skeleton.tsx'
import { chipText, readChip } from '../../state/filters.ts'
import { useScope } from '../../state/scope.tsx'
import { exploreWords } from './explore-words.ts'

/** Each kind of event, the names of the site's own events, and pages. */
const keys = ['type', 'name', 'page'] as const
const SHOWN = 60

interface Values {
  readonly rows: readonly { readonly value: Value; readonly events: number }[]
  readonly meta: Meta
}

interface Props {
  label: string
  /** what no choice means */
  none: string
  /** as in the address, `type:click` */
  what: string | undefined
  choose: (what: string | undefined) => void
}

/** Chooses the events of a question from those that were seen. */
export function EventButton({ label, none, what, choose }: Props): ReactNode {
  const name = nameOf(what) ?? none
  return (
    <PopoverButton
      className="place-button"
      label={`${label}: ${name}`}
      button={
        <>
          <bdi className="cut">{name}</bdi>
          <Icon of={ChevronsUpDown} />
        </>
      }
    >
      {(close) => (
        <EventList
          none={none}
          choose={(next) => {
            close()
            choose(next)
          }}
        />
      )}
    </PopoverButton>
  )
}

function EventList({ none, choose }: Pick<Props, 'none' | 'choose'>): ReactNode {
  const { app, range } = useScope()
  const [search, setSearch] = useState('')
  const path = (key: string): string => reportPath(app.id, `keys/${key}/values`, range)
  const types = useReport<Values>(path(keys[0]))
  const others = [useReport<Values>(path(keys[1])), useReport<Values>(path(keys[2]))]
  const wanted = search.trim().toLowerCase()
  return (
    <>
      <SearchField label={exploreWords.searchEvents} value={search} set={setSearch} autoFocus />
      <ReportView report={types} skeleton={<Skeleton height={240} width={240} />}>
        {(first) => {
          const found = [first, ...others.map(({ data }) => data)]
            .flatMap((values, index) =>
              (values?.rows ?? []).map(({ value, events }) => {
                const text = chipText({ key: keys[index]!, value: String(value) })
                return { text, name: nameOf(text) ?? text, events }
              }),
            )
            .filter(({ name }) => name.toLowerCase().includes(wanted))
            .slice(0, SHOWN)
          return (
            <div className="options tall">
              {wanted === '' && (
                <button type="button" onClick={() => choose(undefined)}>
                  {none}
                </button>
              )}
              {found.map(({ text, name, events }) => (
                <button key={text} type="button" onClick={() => choose(text)}>
                  <bdi className="cut">{name}</bdi>
                  <span className="hint number end">{formatCount(events)}</span>
                </button>
              ))}
              {found.length === 0 && <p className="nothing">{exploreWords.noEvent}</p>}
            </div>
          )
        }}
      </ReportView>
    </>
  )
}

/** Returns what the events of the address are called; undefined for all events. */
export function nameOf(what: string | undefined): string | undefined {
  const chip = what === undefined ? undefined : readChip(what)
  return chip && (chip.key === 'type' ? exploreWords.kind(chip.value) : chip.value)
}
