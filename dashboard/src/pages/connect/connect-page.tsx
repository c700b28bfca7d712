import type { ReactNode } from 'react'
import { useSession } from '../../api/session.tsx'
import { PageFrame } from '../../frame/page-frame.tsx'
import { PageTitle } from '../../parts/page-title.tsx'
import { useScope } from '../../state/scope.tsx'
import { words } from '../../words.ts'
import { FirstEvent } from './first-event.tsx'
import { FirstFunnel } from './first-funnel.tsx'
import { TagStep } from './tag-step.tsx'

/** From an app without events to its first funnel. */
export default function ConnectPage(): ReactNode {
  const { app } = useScope()
  const { ingest_url: ingest = '' } = useSession().me
  const { connect } = words
  return (
    <PageFrame>
      <div className="page-head">
        <div>
          <PageTitle app={app.name}>{connect.title}</PageTitle>
          <p className="hint">{connect.intro}</p>
        </div>
      </div>
      <div className="connect">
        <ol>
          <Step title={connect.appStep}>
            <p>
              <b>
                <bdi>{app.name}</bdi>
              </b>
            </p>
            <p className="hint">{connect.zone(app.timezone)}</p>
          </Step>
          <Step title={connect.tagStep}>
            <TagStep />
          </Step>
          <Step title={connect.waitStep}>
            <FirstEvent />
          </Step>
          <Step title={connect.funnelStep}>
            <FirstFunnel />
          </Step>
        </ol>
        <aside className="card">
          <h2>{connect.demo}</h2>
          <p>{connect.demoHint}</p>
          <p>
            <a href={`${ingest}/demo/`}>{connect.demoShop}</a>
          </p>
          <p className="hint">{connect.demoLoad}</p>
          <p>
            <code>npm start -- load --demo</code>
          </p>
        </aside>
      </div>
    </PageFrame>
  )
}

function Step({ title, children }: { title: string; children: ReactNode }): ReactNode {
  return (
    <li className="card">
      <h2>{title}</h2>
      {children}
    </li>
  )
}
