import type { ReactNode } from 'react'
import { useSession } from '../../api/session.tsx'
import { Card } from '../../parts/card.tsx'
import { AppLink } from '../../parts/app-link.tsx'
import { useScope } from '../../state/scope.tsx'
import { PageFrame } from '../../frame/page-frame.tsx'
import { PageTitle } from '../../parts/page-title.tsx'
import { AppSettings } from './app-settings.tsx'
import { ElementsSettings } from './elements-settings.tsx'
import { FunnelsSettings } from './funnels-settings.tsx'
import { KeysSettings } from './keys-settings.tsx'
import { MembersSettings } from './members-settings.tsx'
import { SharedLinksSettings } from './shared-links-settings.tsx'
import { RobotsSettings } from './robots-settings.tsx'

/**
 * The settings of an app: what it accepts and keeps, its rules about robots, its funnels, elements and keys, and the
 * members of its organization. A viewer sees them and cannot change them.
 */
export default function SettingsPage(): ReactNode {
  const { app } = useScope()
  const { me } = useSession()
  const mayChange = me.member.role !== 'viewer'
  return (
    <PageFrame>
      <div className="page-head">
        <PageTitle app={app.name}>Settings</PageTitle>
        <p className="freshness">
          <span>
            {app.name} ({app.id})
          </span>
          <span>{app.timezone}</span>
        </p>
      </div>
      <div className="cards">
        <AppSettings app={app.id} mayChange={mayChange} />
        <RobotsSettings app={app.id} mayChange={mayChange} />
        <FunnelsSettings app={app.id} mayChange={mayChange} />
        <ElementsSettings app={app.id} mayChange={mayChange} />
        <Card title="Tag" size="wide">
          <AppLink app={app.id} to="connect">
            The tag for your site, and whether its events arrive
          </AppLink>
        </Card>
        {mayChange && <KeysSettings app={app.id} owner={me.member.role === 'owner'} />}
        {mayChange && <SharedLinksSettings app={app.id} />}
        {mayChange && <MembersSettings owner={me.member.role === 'owner'} />}
      </div>
    </PageFrame>
  )
}
