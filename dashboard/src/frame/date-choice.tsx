import { useState, type FormEvent, type ReactNode } from 'react'
import { parseDate } from '@internationalized/date'
import { ChevronLeft, ChevronRight } from 'lucide-react'
import { Button } from 'react-aria-components/Button'
import { CalendarCell, CalendarGrid } from 'react-aria-components/Calendar'
import { Heading } from 'react-aria-components/Heading'
import { RangeCalendar } from 'react-aria-components/RangeCalendar'
import { I18nProvider } from 'react-aria-components/I18nProvider'
import { Icon } from '../parts/icon.tsx'
import type { DateRange } from '../state/date-range.ts'
import { readTypedDate } from '../state/typed-date.ts'
import { words } from '../words.ts'

interface Props {
  range?: DateRange
  choose: (range: DateRange) => void
}

/** Two dates, typed or chosen in a calendar. A typed date applies with Enter or the button, not with each key. */
export default function DateChoice({ range, choose }: Props): ReactNode {
  const [typed, setTyped] = useState({ from: range?.from ?? '', to: range?.to ?? '' })
  const [problem, setProblem] = useState<string>()
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    const [from, to] = [readTypedDate(typed.from), readTypedDate(typed.to)]
    if (from === undefined || to === undefined)
      return setProblem(words.bar.notADate(from === undefined ? typed.from : typed.to))
    if (from > to) return setProblem(words.bar.wrongOrder)
    setProblem(undefined)
    choose({ from, to })
  }
  const field = (name: 'from' | 'to'): ReactNode => (
    <label>
      {words.bar[name]}
      <input
        value={typed[name]}
        placeholder="2026-01-31"
        inputMode="numeric"
        aria-invalid={problem !== undefined}
        onChange={(event) => setTyped({ ...typed, [name]: event.target.value })}
      />
    </label>
  )
  return (
    <div>
      <form className="date-fields" onSubmit={submit}>
        {field('from')}
        {field('to')}
        <button type="submit">{words.bar.apply}</button>
      </form>
      <p className="failed" role="alert">
        {problem}
      </p>
      <I18nProvider locale="en-GB">
        <RangeCalendar
          className="calendar"
          aria-label={words.bar.range}
          {...(range ? { defaultValue: { start: parseDate(range.from), end: parseDate(range.to) } } : {})}
          {...(range ? { defaultFocusedValue: parseDate(range.to) } : {})}
          onChange={({ start, end }) => choose({ from: start.toString(), to: end.toString() })}
        >
          <header>
            <Button slot="previous">
              <Icon of={ChevronLeft} />
            </Button>
            <Heading />
            <Button slot="next">
              <Icon of={ChevronRight} />
            </Button>
          </header>
          <CalendarGrid>{(date) => <CalendarCell className="day" date={date} />}</CalendarGrid>
        </RangeCalendar>
      </I18nProvider>
    </div>
  )
}
