import type { ReactNode } from 'react'
import { useSession } from '../../api/session.tsx'
import { Card } from '../../parts/card.tsx'
import { ScriptTag } from '../../parts/script-tag.tsx'
import type { AppView } from '../../state/scope.ts'
import { ElementsSettings } from './elements-settings.tsx'
import { FunnelsSettings } from './funnels-settings.tsx'
import { KeysSettings } from './keys-settings.tsx'

/** The settings of an app: its funnels, elements and keys. A viewer sees them and cannot change them. */
export default function SettingsPage({ app }: { app: AppView }): ReactNode {
  const { me } = useSession()
  const mayChange = me.member.role !== 'viewer'
  return (
    <>
      <div className="page-head">
        <h1>Settings</h1>
        <p className="freshness">
          <span>
            {app.name} ({app.id})
          </span>
          <span>{app.timezone}</span>
        </p>
      </div>
      <div className="cards">
        <FunnelsSettings app={app.id} mayChange={mayChange} />
        <ElementsSettings app={app.id} mayChange={mayChange} />
        <Card
          title="Script tag"
          size="wide"
          hint="Add it to every page of the site. Only hashes of keys are stored: a new key is shown once, below."
        >
          <ScriptTag />
        </Card>
        {mayChange && <KeysSettings app={app.id} owner={me.member.role === 'owner'} />}
      </div>
    </>
  )
}
