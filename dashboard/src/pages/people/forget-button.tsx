import { useState, type FormEvent, type ReactNode } from 'react'
import type { limits } from '@hopper/contracts'
import { appPath, reportPath } from '../../api/paths.ts'
import { useSession } from '../../api/session.tsx'
import { useReport } from '../../api/use-report.ts'
import { shownId } from '../../format/persons.ts'
import { PopoverButton } from '../../parts/buttons/popover-button.tsx'
import { Problem } from '../../parts/states/problem.tsx'
import { useChange } from '../../parts/use-change.ts'
import { shiftDate } from '../../state/date-range.ts'
import { useScope } from '../../state/scope.tsx'
import { useSearchState } from '../../state/use-search.ts'
import { words } from '../../words.ts'
import type { Person } from './persons.ts'

/** The longest range that the API answers; the type fails to compile when it has a different limit. */
const DAYS_MAX: (typeof limits)['rangeDaysMax'] = 1_100

/** Forgets a person after its id was typed. Shows beforehand how much will be deleted. */
export function ForgetButton({ id }: { id: string }): ReactNode {
  return (
    <PopoverButton className="small danger" label={words.people.forget} button={words.people.forget}>
      {(close) => <ForgetForm id={id} close={close} />}
    </PopoverButton>
  )
}

function ForgetForm({ id, close }: { id: string; close: () => void }): ReactNode {
  const { app, today } = useScope()
  const { client } = useSession()
  const { change } = useSearchState()
  const [typed, setTyped] = useState('')
  const { run, busy, error } = useChange(close)
  const name = shownId(id)
  const path = `persons/${encodeURIComponent(id)}`
  const whole = { from: shiftDate(today, 1 - DAYS_MAX), to: today }
  const report = useReport<Person>(reportPath(app.id, path, whole, { limit: '1' }))
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (typed !== name) return
    void run(async () => {
      const { id: forget } = await client.send<{ id: string }>('DELETE', appPath(app.id, path))
      change({ forget })
    })
  }
  return (
    <form className="forget" onSubmit={submit}>
      <h2>
        {words.people.forgetTitle} <bdi>{name}</bdi>
      </h2>
      <p>
        {report.data ? words.people.goes(report.data.events, report.data.devices.length) : words.people.goesUnknown}
      </p>
      <p>{words.people.forgetHint}</p>
      <label>
        {words.people.typeId}
        <input value={typed} autoComplete="off" spellCheck={false} onChange={(event) => setTyped(event.target.value)} />
      </label>
      {error && <Problem error={error} />}
      <div className="row">
        <button type="button" autoFocus onClick={close}>
          {words.cancel}
        </button>
        <button type="submit" className="danger" disabled={busy || typed !== name}>
          {words.people.forget}
        </button>
      </div>
    </form>
  )
}
