import { useState, type FormEvent, type ReactNode } from 'react'
import type { KeyScope } from '@hopper/contracts'
import { appPath } from '../../api/paths.ts'
import { useSession } from '../../api/session.tsx'
import { useReport } from '../../api/use-report.ts'
import { formatInstant, localZone } from '../../format/times.ts'
import { AskButton } from '../../parts/buttons/ask-button.tsx'
import { Card } from '../../parts/card.tsx'
import { CopyText } from '../../parts/copy-text.tsx'
import { Problem } from '../../parts/states/problem.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { tagOf } from '../connect/tags.ts'
import { useChange } from '../../parts/use-change.ts'

interface Key {
  readonly id: string
  readonly power: KeyScope
  readonly hint: string
  readonly created_at: number
  readonly name?: string
  readonly last_used_at?: number
}

interface CreatedKey extends Key {
  /** of a read or admin key shown only once */
  readonly key: string
}

const scopes: Record<KeyScope, string> = {
  write: 'write: send events of this app',
  read: 'read: see the numbers of this app',
  admin: 'admin: manage the organization',
}

/** The consequence of deleting a key. */
const consequences: Record<KeyScope, string> = {
  write:
    'Events that are sent with it are refused within seconds: pages with this key in their tag are no longer counted.',
  read: 'Programs that read the numbers of this app with it are refused at once.',
  admin: 'Programs that manage the organization with it are refused at once, in all its apps.',
}

/** The keys of an app, shown by their last characters. A new secret key is shown in full only once. */
export function KeysSettings({ app, owner }: { app: string; owner: boolean }): ReactNode {
  const { client, me } = useSession()
  const { ingest_url: origin = location.origin } = me
  const keys = useReport<{ keys: Key[] }>(appPath(app, 'keys'))
  const { error, busy, run } = useChange(keys.reload)
  const [created, setCreated] = useState<CreatedKey | null>(null)
  const create = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const name = (form.get('name') as string).trim()
    const sent = { power: form.get('power'), ...(name === '' ? {} : { name }) }
    void run(async () => setCreated(await client.send<CreatedKey>('POST', appPath(app, 'keys'), sent)))
  }
  return (
    <Card title="Keys" size="wide">
      {error && <Problem error={error} />}
      {created && (
        <div className="once" role="status">
          <p>
            <b>
              The new {created.power} key{created.power === 'write' ? '' : ', shown only once'}:
            </b>
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
            {all.map((key) => (
              <KeyItem
                key={key.id}
                of={key}
                remove={() => void run(() => client.send('DELETE', appPath(app, `keys/${encodeURIComponent(key.id)}`)))}
              />
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
        <label className="inline">
          Name of the key
          <input name="name" maxLength={100} placeholder="optional" />
        </label>
        <button type="submit" className="primary" disabled={busy}>
          Create a key
        </button>
      </form>
    </Card>
  )
}

function KeyItem({ of, remove }: { of: Key; remove: () => void }): ReactNode {
  const { power, hint, name, created_at: created, last_used_at: used } = of
  const use = used === undefined ? 'never used' : `last used ${formatInstant(localZone, used)}`
  return (
    <li>
      <span className="badge">{power}</span> <code>…{hint}</code> {name !== undefined && <bdi>{name} </bdi>}
      <span className="hint">
        created {formatInstant(localZone, created)}, {use}
      </span>
      <span className="list-actions">
        <AskButton
          label={`Delete the ${power} key …${hint}${name === undefined ? '' : ` “${name}”`}`}
          consequence={`${consequences[power]} It was ${use}. This cannot be undone.`}
          onConfirm={remove}
        />
      </span>
    </li>
  )
}
