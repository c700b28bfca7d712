import type { ReactNode } from 'react'
import { ChevronDown, ChevronRight } from 'lucide-react'
import type { PersonRow } from '@hopper/contracts'
import { personOf, shownId } from '../../format/persons.ts'
import { formatInstant, formatStep } from '../../format/times.ts'
import { useScope } from '../../state/scope.tsx'
import { words } from '../../words.ts'
import { Icon } from '../icon.tsx'
import { MiddleCut } from '../middle-cut.tsx'
import { peopleWords } from './people-words.ts'
import { PersonTimeline } from './person-timeline.tsx'

/** A person of a list; what is known of it depends on what the list is about. */
export type ListedRow = Pick<PersonRow, 'id'> & Partial<PersonRow>

interface Props {
  row: ListedRow
  stages?: number
  pageName: (page: string) => string
  isOpen: boolean
  toggle: () => void
}

/** One person: who it is and where it came from; opened, what it did. */
export function PersonItem({ row, stages, pageName, isOpen, toggle }: Props): ReactNode {
  const { app } = useScope()
  const { id, name, device, source, country, entered_at: entered, last_page: last } = row
  const facts = [device, source, country].filter((fact) => fact !== null && fact !== undefined && fact !== '')
  return (
    <>
      <button type="button" className="person" aria-expanded={isOpen} onClick={toggle}>
        <Icon of={isOpen ? ChevronDown : ChevronRight} />
        <span className="person-lines">
          <span className="person-line">
            <MiddleCut text={name ?? shownId(id)} title={id} />
            {entered !== undefined && <time className="hint tnum">{formatStep(app.timezone, entered, 'hour')}</time>}
          </span>
          {entered !== undefined && (
            <small className="person-line">
              <bdi className="person-facts">{facts.length === 0 ? words.none : facts.join(' · ')}</bdi>
              {last !== null && last !== undefined && <MiddleCut text={pageName(last)} title={last} />}
            </small>
          )}
        </span>
      </button>
      {isOpen && (
        <>
          <Facts row={row} pageName={pageName} {...(stages === undefined ? {} : { stages })} />
          <PersonTimeline id={personOf(id)} />
        </>
      )}
    </>
  )
}

/** Describes which stage of the funnel a person reached, why not the next one, and where the person went. */
function Facts({ row, stages, pageName }: Pick<Props, 'row' | 'stages' | 'pageName'>): ReactNode {
  const { app } = useScope()
  const { entered_at: entered, last_at: last, last_page: page, steps, cause, next } = row
  const given = (name: string, text: string | undefined): [string, string][] =>
    text === undefined ? [] : [[name, text]]
  const instant = (at: number | undefined): string | undefined =>
    at === undefined ? undefined : formatInstant(app.timezone, at)
  const facts = [
    ...given(
      peopleWords.reached,
      steps === undefined || stages === undefined ? undefined : peopleWords.stages(steps, stages),
    ),
    ...(cause === null || cause === undefined
      ? []
      : [
          ...given(peopleWords.cause, words.causes[cause]),
          ...given(peopleWords.next, next === undefined ? peopleWords.left : pageName(next)),
        ]),
    ...given(stages === undefined ? peopleWords.arrived : peopleWords.began, instant(entered)),
    ...given(peopleWords.lastEvent, instant(last)),
    ...given(peopleWords.lastPage, page === null || page === undefined ? undefined : pageName(page)),
  ]
  if (facts.length === 0) return null
  return (
    <dl className="attributes person-known">
      {facts.map(([name, text]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <bdi>{text}</bdi>
          </dd>
        </div>
      ))}
    </dl>
  )
}
