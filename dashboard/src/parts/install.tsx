import type { ReactNode } from 'react'
import { useSession } from '../api/session.tsx'
import { useBacklog } from './backlog-badge.tsx'
import { PageLink } from './page-link.tsx'
import { ScriptTag } from './script-tag.tsx'

/** Shown in an empty report: that events are being counted, or how to install the tracker. */
export function NoEvents(): ReactNode {
  const counting = useBacklog()
  if (counting === undefined) return <Install />
  return (
    <section className="card wide install" aria-labelledby="counting-title">
      <h2 id="counting-title">Events are being counted</h2>
      <p role="status">{counting}. They appear here as soon as they are counted.</p>
    </section>
  )
}

function Install(): ReactNode {
  const { ingest_url: ingest = '' } = useSession().me
  return (
    <section className="card wide install" aria-labelledby="install-title">
      <h2 id="install-title">No events in this range</h2>
      <p>
        Add this line to the pages of your site, with a write key of this app. Events are counted moments after they
        happen.
      </p>
      <ScriptTag />
      <p>
        Create keys under <PageLink page="settings">Settings</PageLink>. To see Hopper at work first, visit the{' '}
        <a href={`${ingest}/demo/`}>demo shop</a>, or choose a longer range.
      </p>
    </section>
  )
}
