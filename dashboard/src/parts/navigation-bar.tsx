import type { MouseEvent, ReactNode } from 'react'
import { useSession } from '../api/session.tsx'
import type { AppView } from '../state/scope.ts'
import { useView } from '../state/use-view.ts'
import { addressOf, pages, type Page } from '../state/view.ts'
import { Logo } from './logo.tsx'

const names: Record<Page, string> = { overview: 'Overview', funnel: 'Funnel', elements: 'Elements', settings: 'Settings', status: 'Status' }

/** The pages, the app in view and who looks at it. */
export function NavigationBar({ apps }: { apps: readonly AppView[] }): ReactNode {
  const { me, logout } = useSession()
  const { view, go } = useView()
  const follow = (event: MouseEvent, page: Page): void => {
    // a new tab or window is the browser's business
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return
    event.preventDefault()
    go({ page })
    scrollTo(0, 0)
  }
  return (
    <div className="bar">
      <div className="bar-inner">
        <Logo />
        <nav aria-label="Pages">
          {pages.map((page) => (
            <a key={page} href={addressOf({ ...view, page })} aria-current={page === view.page ? 'page' : undefined} onClick={(event) => follow(event, page)}>
              {names[page]}
            </a>
          ))}
        </nav>
        <div className="who">
          {apps.length > 0 && <AppSwitch apps={apps} chosen={view.app ?? apps[0]!.id} choose={(app) => go(withoutFunnel(app))} />}
          <span className="member" title={`${me.member.name}, ${me.member.role} of ${me.organization.name}`}>{me.member.name}</span>
          <button type="button" className="small" onClick={() => void logout()}>Log out</button>
        </div>
      </div>
    </div>
  )
}

function AppSwitch({ apps, chosen, choose }: { apps: readonly AppView[]; chosen: string; choose: (app: string) => void }): ReactNode {
  return (
    <select aria-label="App" value={chosen} onChange={(event) => choose(event.target.value)}>
      {!apps.some(({ id }) => id === chosen) && <option value={chosen}>{chosen}</option>}
      {apps.map(({ id, name }) => <option key={id} value={id}>{name}</option>)}
    </select>
  )
}

/** A funnel belongs to one app. */
function withoutFunnel(app: string): { app: string; funnel: string } {
  return { app, funnel: '' }
}
