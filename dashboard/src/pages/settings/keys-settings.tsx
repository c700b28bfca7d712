import { useState, type FormEvent, type ReactNode } from 'react'
import type { KeyScope } from '@hopper/contracts'
import { appPath } from '../../api/paths.ts'
import { useSession } from '../../api/session.tsx'
import { useReport } from '../../api/use-report.ts'
import { formatInstant, localZone } from '../../format/times.ts'
import { Card } from '../../parts/card.tsx'
import { ConfirmButton } from '../../parts/confirm-button.tsx'
import { CopyText } from '../../parts/copy-text.tsx'
import { Problem } from '../../parts/problem.tsx'
import { ReportView } from '../../parts/report-view.tsx'
import { tagOf } from '../connect/tags.ts'
import { useChange } from '../../parts/use-change.ts'

interface Key {
  readonly id: string
  readonly power: KeyScope
  readonly hint: string
  readonly created_at: number
}

interface CreatedKey extends Key {
  /** shown only once */
  readonly key: string
}

const scopes: Record<KeyScope, string> = {
  write: 'write: send events of this app',
  read: 'read: see the numbers of this app',
  admin: 'admin: manage the organization',
}

/** The keys of an app, shown by their last characters. A new key is shown in full only once. */
export function KeysSettings({ app, owner }: { app: string; owner: boolean }): ReactNode {
  const { client, me } = useSession()
  const { ingest_url: origin = location.origin } = me
  const keys = useReport<{ keys: Key[] }>(appPath(app, 'keys'))
  const { error, busy, run } = useChange(keys.reload)
  const [created, setCreated] = useState<CreatedKey | null>(null)
  const create = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const power = new FormData(event.currentTarget).get('power')
    void run(async () => setCreated(await client.send<CreatedKey>('POST', appPath(app, 'keys'), { power })))
  }
  return (
    <Card title="Keys" size="wide">
      {error && <Problem error={error} />}
      {created && (
        <div className="once" role="status">
          <p>
            <b>The new {created.power} key, shown only once:</b>
          </p>
          <CopyText text={created.key} label="New key" />
          {created.power === 'write' && (
            <CopyText text={tagOf('html', origin, created.key)} label="Script tag with the new key" />
          )}
        </div>
      )}
      <ReportView report={keys}>
        {({ keys: all }) => (
          <ul className="list">
            {all.map(({ id, power, hint, created_at }) => (
              <li key={id}>
                <span className="badge">{power}</span> <code>…{hint}</code>{' '}
                <span className="hint">created {formatInstant(localZone, created_at)}</span>
                <span className="list-actions">
                  <ConfirmButton
                    label={`Delete the ${power} key ${hint}`}
                    onConfirm={() =>
                      void run(() => client.send('DELETE', appPath(app, `keys/${encodeURIComponent(id)}`)))
                    }
                  />
                </span>
              </li>
            ))}
          </ul>
        )}
      </ReportView>
      <form className="row" onSubmit={create}>
        <label className="inline">
          Scope
          <select name="power" defaultValue="write">
            {(Object.keys(scopes) as KeyScope[])
              .filter((scope) => scope !== 'admin' || owner)
              .map((scope) => (
                <option key={scope} value={scope}>
                  {scopes[scope]}
                </option>
              ))}
          </select>
        </label>
        <button type="submit" className="primary" disabled={busy}>
          Create a key
        </button>
      </form>
    </Card>
  )
}
