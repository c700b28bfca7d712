import { useState, type FormEvent, type ReactNode } from 'react'
import { useQueryClient } from '@tanstack/react-query'
import type { App } from '@hopper/contracts'
import { useSession } from '../../api/session.tsx'
import { useReport } from '../../api/use-report.ts'
import { formatBytes } from '../../format/numbers.ts'
import { Card } from '../../parts/card.tsx'
import { Problem } from '../../parts/states/problem.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { useChange } from '../../parts/use-change.ts'
import {
  appDraftOf,
  changedSettings,
  deletesEvents,
  trackerFlags,
  type AppDraft,
  type TrackerFlag,
} from './app-draft.ts'

type AppView = App & { readonly received_bytes: number }
type TextName = 'name' | 'origins' | 'keepParameters' | 'retention' | 'quota' | 'crossDomains'

const flagTexts: Record<TrackerFlag, string> = {
  consent: 'Send nothing before the visitor has consented',
  cookieless: 'Store nothing in the browser',
  respect_privacy_signals: 'Respect Do Not Track and Global Privacy Control',
  subdomains: 'Subdomains of a site share the device',
  new_session_at_campaign: 'A visit from another campaign begins a session',
}

/** Shows and changes what an app accepts, how long it keeps it, and what its tracker does. */
export function AppSettings({ app, mayChange }: { app: string; mayChange: boolean }): ReactNode {
  const report = useReport<AppView>(`/api/v1/apps/${encodeURIComponent(app)}`)
  return (
    <Card title="App" size="wide">
      <ReportView report={report}>{(view) => <AppForm key={view.id} app={view} mayChange={mayChange} />}</ReportView>
    </Card>
  )
}

function AppForm({ app, mayChange }: { app: AppView; mayChange: boolean }): ReactNode {
  const { client } = useSession()
  const queries = useQueryClient()
  const [draft, setDraft] = useState(() => appDraftOf(app))
  const [isSaved, setSaved] = useState(false)
  const { error, busy, run } = useChange(() => setSaved(true))
  const change = (part: Partial<AppDraft>): void => {
    setSaved(false)
    setDraft({ ...draft, ...part })
  }
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    void run(async () => {
      await client.send('PATCH', `/api/v1/apps/${encodeURIComponent(app.id)}`, changedSettings(app, draft))
      await queries.invalidateQueries()
    })
  }
  const text = (name: TextName): { value: string; onChange: (event: { target: { value: string } }) => void } => ({
    value: draft[name],
    onChange: ({ target }) => change({ [name]: target.value }),
  })
  return (
    <form className="fields" onSubmit={submit}>
      <fieldset className="plain-group" disabled={!mayChange}>
        <label>
          Name
          <input {...text('name')} required maxLength={200} />
        </label>
        <p className="hint">
          Days are those of {app.timezone}. This cannot be changed: the numbers of each day are counted in it.
        </p>
        <label>
          Origins that may send events from a browser, one per line; empty: any
          <textarea {...text('origins')} rows={2} placeholder="https://shop.example" />
        </label>
        <label>
          Parameters that stay part of a page’s address, one per line
          <textarea {...text('keepParameters')} rows={2} />
        </label>
        <Check isOn={draft.hashRouting} change={(hashRouting) => change({ hashRouting })}>
          A fragment such as #/cart names a page
        </Check>
        <label>
          Days to keep events; empty: forever
          <input {...text('retention')} type="number" min={1} max={36_500} step={1} />
        </label>
        {app.kept_from !== undefined && <p className="hint">Events are kept from {app.kept_from}.</p>}
        {deletesEvents(app, draft) && (
          <label className="check">
            <input type="checkbox" required />
            Events that are older are deleted, and cannot come back
          </label>
        )}
        <label>
          Gigabytes that the app may send; empty: no limit
          <input {...text('quota')} type="number" min={0.001} step="any" />
        </label>
        <p className="hint">
          {formatBytes(app.received_bytes)} received. Above the limit, requests are refused until there is room again.
        </p>
        <h3>Tracker</h3>
        {trackerFlags.map((flag) => (
          <Check
            key={flag}
            isOn={draft.flags.includes(flag)}
            change={(isOn) =>
              change({ flags: trackerFlags.filter((one) => (one === flag ? isOn : draft.flags.includes(one))) })
            }
          >
            {flagTexts[flag]}
          </Check>
        ))}
        <label>
          Hosts that share the device by signed links, one per line
          <textarea {...text('crossDomains')} rows={2} placeholder="pay.example" />
        </label>
      </fieldset>
      {error && <Problem error={error} />}
      {isSaved && <p role="status">Saved.</p>}
      {mayChange && (
        <div className="row">
          <button type="submit" className="primary" disabled={busy}>
            Save the app
          </button>
        </div>
      )}
    </form>
  )
}

interface CheckProps {
  isOn: boolean
  change: (isOn: boolean) => void
  children: ReactNode
}

function Check({ isOn, change, children }: CheckProps): ReactNode {
  return (
    <label className="check">
      <input type="checkbox" checked={isOn} onChange={(event) => change(event.target.checked)} />
      {children}
    </label>
  )
}
