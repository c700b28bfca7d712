import type { ReactNode } from 'react'
import { useSession } from '../api/session.tsx'
import type { AppView } from '../state/scope.ts'
import { useView } from '../state/use-view.ts'
import { pages, type Page } from '../state/view.ts'
import { Logo } from './logo.tsx'
import { PageLink } from './page-link.tsx'

const names: Record<Page, string> = {
  overview: 'Overview',
  funnel: 'Funnel',
  elements: 'Elements',
  settings: 'Settings',
  status: 'Status',
}

/** Links to the pages, the selected app and the member. */
export function NavigationBar({ apps }: { apps: readonly AppView[] }): ReactNode {
  const { me, logout } = useSession()
  const { view, go } = useView()
  return (
    <div className="bar">
      <div className="bar-inner">
        <Logo />
        <nav aria-label="Pages">
          {pages.map((page) => (
            <PageLink key={page} page={page}>
              {names[page]}
            </PageLink>
          ))}
        </nav>
        <div className="who">
          {apps.length > 0 && (
            <AppSwitch apps={apps} chosen={view.app ?? apps[0]!.id} choose={(app) => go(withoutFunnel(app))} />
          )}
          <span className="member" title={`${me.member.name}, ${me.member.role} of ${me.organization.name}`}>
            {me.member.name}
          </span>
          <button type="button" className="small" onClick={() => void logout()}>
            Log out
          </button>
        </div>
      </div>
    </div>
  )
}

function AppSwitch({
  apps,
  chosen,
  choose,
}: {
  apps: readonly AppView[]
  chosen: string
  choose: (app: string) => void
}): ReactNode {
  return (
    <select aria-label="App" value={chosen} onChange={(event) => choose(event.target.value)}>
      {!apps.some(({ id }) => id === chosen) && <option value={chosen}>{chosen}</option>}
      {apps.map(({ id, name }) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </select>
  )
}

/** Clears the funnel, which belongs to another app. */
function withoutFunnel(app: string): { app: string; funnel: string } {
  return { app, funnel: '' }
}
