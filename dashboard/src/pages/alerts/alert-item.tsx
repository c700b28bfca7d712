import type { ReactNode } from 'react'
import type { AlertView, ListedFunnel, Notice } from '@hopper/contracts'
import { formatInstant } from '../../format/times.ts'
import { AskButton } from '../../parts/buttons/ask-button.tsx'
import { DataTable, type Column } from '../../parts/data-table.tsx'
import { badgeOf, channelsText, deliveriesText, ruleText } from './alert-text.ts'
import { alertWords } from './alert-words.ts'
import { SilenceButton } from './silence-button.tsx'

/** Actions of a member on an alert. */
export interface AlertActions {
  readonly busy: boolean
  readonly edit: () => void
  readonly test: () => void
  readonly silence: (until: number | null) => void
  readonly remove: () => void
}

interface Props {
  alert: AlertView
  funnels: readonly ListedFunnel[]
  timezone: string
  /** missing for those who may only look */
  actions?: AlertActions
}

/** An alert: its rule, how its last check went, where it is sent, and its last notices. */
export function AlertItem({ alert, funnels, timezone, actions }: Props): ReactNode {
  const { name, state, silenced_until: until, silenced_by: by, notices } = alert
  const isSilenced = until !== null && until > Date.now()
  return (
    <>
      <div className="alert-head">
        <h3>
          <bdi>{name}</bdi>
        </h3>
        <span className={badgeOf(state?.check)}>{state ? alertWords.checks[state.check] : alertWords.unchecked}</span>
        {isSilenced && (
          <span className="badge warn">
            <bdi>{alertWords.silencedUntil(formatInstant(timezone, until), by)}</bdi>
          </span>
        )}
        {actions && <Actions name={name} actions={actions} isSilenced={isSilenced} />}
      </div>
      <p className="alert-line">
        <bdi>{ruleText(alert, funnels)}</bdi>
      </p>
      <p className="hint alert-line">
        <bdi>{channelsText(alert)}</bdi>
      </p>
      {state && (
        <p className="hint alert-line">
          <bdi>{state.detail}</bdi> ({alertWords.checkedAt(formatInstant(timezone, state.checked_at))})
        </p>
      )}
      {notices.length > 0 && <Notices name={name} notices={notices} timezone={timezone} />}
    </>
  )
}

interface ActionsProps {
  name: string
  actions: AlertActions
  isSilenced: boolean
}

function Actions({ name, actions: { busy, edit, test, silence, remove }, isSilenced }: ActionsProps): ReactNode {
  return (
    <span className="list-actions row">
      <button type="button" className="small" aria-label={alertWords.test(name)} disabled={busy} onClick={test}>
        {alertWords.testShort}
      </button>
      {isSilenced ? (
        <button
          type="button"
          className="small"
          aria-label={alertWords.unsilence(name)}
          disabled={busy}
          onClick={() => silence(null)}
        >
          {alertWords.unsilenceShort}
        </button>
      ) : (
        <SilenceButton name={name} disabled={busy} silence={silence} />
      )}
      <button type="button" className="small" aria-label={alertWords.edit(name)} onClick={edit}>
        {alertWords.editShort}
      </button>
      <AskButton label={alertWords.remove(name)} consequence={alertWords.removal} onConfirm={remove} />
    </span>
  )
}

interface NoticesProps {
  name: string
  notices: readonly Notice[]
  timezone: string
}

function Notices({ name, notices, timezone }: NoticesProps): ReactNode {
  const { at, kind, title, sent } = alertWords.columns
  const columns: Column<Notice>[] = [
    { name: at, value: (notice) => formatInstant(timezone, notice.at) },
    { name: kind, value: (notice) => alertWords.notices[notice.kind] },
    { name: title, value: (notice) => notice.title },
    { name: sent, value: deliveriesText },
  ]
  return (
    <details className="notices">
      <summary>{`${alertWords.last} (${notices.length})`}</summary>
      <DataTable caption={`${alertWords.last}: ${name}`} columns={columns} rows={notices} rowKey={({ id }) => id} />
    </details>
  )
}
