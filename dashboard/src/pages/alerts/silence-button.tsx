import { useState, type FormEvent, type ReactNode } from 'react'
import { timeZone } from '@hopper/contracts'
import { PopoverButton } from '../../parts/buttons/popover-button.tsx'
import { shiftDate } from '../../state/date-range.ts'
import { useScope } from '../../state/scope.tsx'
import { alertWords } from './alert-words.ts'

const HOUR_MS = 3_600_000
const spans = [
  [alertWords.silence.hour, HOUR_MS],
  [alertWords.silence.day, 24 * HOUR_MS],
  [alertWords.silence.week, 7 * 24 * HOUR_MS],
] as const

interface Props {
  /** of the alert */
  name: string
  disabled: boolean
  silence: (until: number) => void
}

/** Silences an alert for an hour, a day, a week, or to the end of a date. */
export function SilenceButton({ name, disabled, silence }: Props): ReactNode {
  const texts = alertWords.silence
  if (disabled)
    return (
      <button type="button" className="small" disabled>
        {texts.short}
      </button>
    )
  return (
    <PopoverButton className="small" label={texts.name(name)} button={texts.short}>
      {(close) => (
        <SilenceChoice
          choose={(until) => {
            silence(until)
            close()
          }}
        />
      )}
    </PopoverButton>
  )
}

function SilenceChoice({ choose }: { choose: (until: number) => void }): ReactNode {
  const { app, today } = useScope()
  const [date, setDate] = useState(shiftDate(today, 1))
  const texts = alertWords.silence
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    choose(timeZone(app.timezone).startOf(shiftDate(date, 1)))
  }
  return (
    <div className="silence">
      <p className="hint">{texts.hint}</p>
      {spans.map(([text, ms]) => (
        <button key={ms} type="button" onClick={() => choose(Date.now() + ms)}>
          {text}
        </button>
      ))}
      <form onSubmit={submit}>
        <label>
          {texts.date}
          <input type="date" required min={today} value={date} onChange={(event) => setDate(event.target.value)} />
        </label>
        <button type="submit">{texts.untilDate}</button>
      </form>
    </div>
  )
}
