import type { ReactNode } from 'react'
import { useSession } from '../../api/session.tsx'
import { Card } from '../../parts/card.tsx'
import { ScriptTag } from '../../parts/script-tag.tsx'
import type { AppView } from '../../state/scope.ts'
import { ElementsSettings } from './elements-settings.tsx'
import { FunnelsSettings } from './funnels-settings.tsx'
import { KeysSettings } from './keys-settings.tsx'

/** What an app tracks and who may speak for it. A viewer sees it and changes nothing. */
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
          hint="Put it into every page of the site. Keys are stored as hashes only: a new write key is shown once, below, with its tag."
        >
          <ScriptTag />
        </Card>
        {mayChange && <KeysSettings app={app.id} owner={me.member.role === 'owner'} />}
      </div>
    </>
  )
}
