import { useState, type ReactNode } from 'react'
import type { Alerts, AlertView, ChangedAlert, Delivery, ListedFunnel, Notice, TestedAlert } from '@hopper/contracts'
import { appPath } from '../../api/paths.ts'
import { useSession } from '../../api/session.tsx'
import { useReport } from '../../api/use-report.ts'
import { PageFrame } from '../../frame/page-frame.tsx'
import { Card } from '../../parts/card.tsx'
import { CopyText } from '../../parts/copy-text.tsx'
import { PageTitle } from '../../parts/page-title.tsx'
import { Problem } from '../../parts/states/problem.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { useScope } from '../../state/scope.tsx'
import { useListEditor } from '../settings/editable-list.tsx'
import { AlertForm } from './alert-form.tsx'
import { AlertItem, type AlertActions } from './alert-item.tsx'
import { deliveriesText } from './alert-text.ts'
import { alertWords } from './alert-words.ts'

/** The alerts of an app. A viewer sees them and cannot change them. */
export default function AlertsPage(): ReactNode {
  const { app } = useScope()
  const alerts = useReport<Alerts>(appPath(app.id, 'alerts'))
  const funnels = useReport<{ funnels: ListedFunnel[] }>(appPath(app.id, 'funnels'))
  return (
    <PageFrame>
      <div className="page-head">
        <PageTitle app={app.name}>{alertWords.title}</PageTitle>
      </div>
      <div className="cards">
        <Card title={alertWords.card} size="wide" hint={alertWords.hint}>
          <ReportView report={alerts}>
            {(data) => <AlertList data={data} funnels={funnels.data?.funnels ?? []} reload={alerts.reload} />}
          </ReportView>
        </Card>
      </div>
    </PageFrame>
  )
}

interface ListProps {
  data: Alerts
  funnels: readonly ListedFunnel[]
  reload: () => void
}

/** The part of the last answer that the list does not include; it is shown until the next answer. */
interface ShownOnce {
  readonly secret?: string
  readonly tested?: { readonly name: string; readonly notice: Notice }
}

function AlertList({ data: { alerts, channels }, funnels, reload }: ListProps): ReactNode {
  const { app } = useScope()
  const { client, me } = useSession()
  const editor = useListEditor(reload)
  const [shownOnce, setShownOnce] = useState<ShownOnce>({})
  const mayChange = me.member.role !== 'viewer'
  const pathOf = (id: string, call = ''): string => appPath(app.id, `alerts/${encodeURIComponent(id)}${call}`)
  const keepSecret = ({ webhook_secret: secret }: ChangedAlert): void =>
    setShownOnce(secret === undefined ? {} : { secret })
  const save = (body: Record<string, unknown>, edited?: AlertView): void =>
    editor.save(async () =>
      keepSecret(
        edited
          ? await client.send<ChangedAlert>('PATCH', pathOf(edited.id), body)
          : await client.send<ChangedAlert>('POST', appPath(app.id, 'alerts'), body),
      ),
    )
  const actionsOf = ({ id, name }: AlertView): AlertActions => ({
    busy: editor.busy,
    edit: () => editor.edit(id),
    test: () =>
      editor.run(async () => {
        const { notice } = await client.send<TestedAlert>('POST', pathOf(id, '/test'))
        setShownOnce({ tested: { name, notice } })
      }),
    silence: (silenced_until) => editor.run(() => client.send('PATCH', pathOf(id), { silenced_until })),
    remove: () => editor.run(() => client.send('DELETE', pathOf(id))),
  })
  const form = (edited?: AlertView): ReactNode => (
    <AlertForm
      {...(edited ? { edited } : {})}
      funnels={funnels}
      channels={channels}
      busy={editor.busy}
      save={(body) => save(body, edited)}
      cancel={editor.cancel}
    />
  )
  return (
    <>
      {editor.error && <Problem error={editor.error} />}
      <LastAnswer {...shownOnce} />
      {channels.webhook_origins.length === 0 && !channels.email && <p className="hint">{alertWords.noChannel}</p>}
      {alerts.length === 0 && (
        <>
          <p className="nothing">{alertWords.none}</p>
          <p className="hint">{alertWords.noneHint}</p>
        </>
      )}
      <ul className="alerts">
        {alerts.map((alert) => (
          <li key={alert.id}>
            {editor.edited === alert.id ? (
              form(alert)
            ) : (
              <AlertItem
                alert={alert}
                funnels={funnels}
                timezone={app.timezone}
                {...(mayChange ? { actions: actionsOf(alert) } : {})}
              />
            )}
          </li>
        ))}
      </ul>
      {mayChange &&
        (editor.edited === '' ? (
          form()
        ) : (
          <button type="button" onClick={() => editor.edit('')}>
            {alertWords.add}
          </button>
        ))}
    </>
  )
}

const isDelivered = ({ state }: Delivery): boolean => state === 'delivered'

/** A new secret, or how a test went. */
function LastAnswer({ secret, tested }: ShownOnce): ReactNode {
  return (
    <div role="status">
      {secret !== undefined && (
        <div className="once">
          <p>
            <b>{alertWords.secret}</b>
          </p>
          <CopyText text={secret} label={alertWords.secretLabel} />
        </div>
      )}
      {tested && (
        <p className={tested.notice.deliveries.every(isDelivered) ? 'once' : 'once refused'}>
          <span>
            <b>
              <bdi>{alertWords.tested(tested.name)}</bdi>
            </b>{' '}
            {deliveriesText(tested.notice)}
          </span>
        </p>
      )}
    </div>
  )
}
