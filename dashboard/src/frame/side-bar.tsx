import { Fragment, type ReactNode } from 'react'
import { ChevronsUpDown, CircleUser, Ellipsis } from 'lucide-react'
import { useSession } from '../api/session.tsx'
import { AppLink, pathOf } from '../parts/app-link.tsx'
import { Icon } from '../parts/icon.tsx'
import { Logo } from '../parts/logo.tsx'
import { PopoverButton } from '../parts/buttons/popover-button.tsx'
import type { AppView } from '../state/scope.tsx'
import { setTheme, themes, useTheme } from '../state/theme.ts'
import { words } from '../words.ts'
import { navigation } from './navigation.ts'
import { PaletteButton } from './palette/palette-button.tsx'

/** The app, its pages and the member: a column at the side, on a phone a row at the top. */
export function SideBar({ apps, app }: { apps: readonly AppView[]; app: AppView }): ReactNode {
  return (
    <header className="side">
      <Logo />
      <div className="app">
        <AppSwitch apps={apps} app={app} />
      </div>
      <PaletteButton apps={apps} app={app} />
      <nav aria-label={words.navigation.pages}>
        {navigation.map((group, index) => (
          <Fragment key={index}>
            {index > 0 && <hr />}
            {group.map(({ to, name, icon }) => (
              <AppLink key={to} app={app.id} to={to} fuzzy>
                <Icon of={icon} />
                {name}
              </AppLink>
            ))}
          </Fragment>
        ))}
      </nav>
      <div className="member">
        <Account app={app.id} />
      </div>
    </header>
  )
}

/** The pages at the bottom of a phone; those without room are in its last place. */
export function BottomBar({ app }: { app: AppView }): ReactNode {
  const pages = navigation.flat()
  return (
    <nav className="bottom" aria-label={words.navigation.pages}>
      {pages
        .filter(({ onPhone }) => onPhone)
        .map(({ to, name, icon }) => (
          <AppLink key={to} app={app.id} to={to} fuzzy>
            <Icon of={icon} />
            <span className="cut">{name}</span>
          </AppLink>
        ))}
      <PopoverButton
        label={words.navigation.more}
        button={
          <>
            <Icon of={Ellipsis} />
            <span className="cut">{words.navigation.moreShort}</span>
          </>
        }
      >
        {(close) => (
          <div className="options" onClick={close}>
            {pages
              .filter(({ onPhone }) => !onPhone)
              .map(({ to, name, icon }) => (
                <AppLink key={to} app={app.id} to={to} fuzzy>
                  <Icon of={icon} />
                  {name}
                </AppLink>
              ))}
          </div>
        )}
      </PopoverButton>
    </nav>
  )
}

function AppSwitch({ apps, app }: { apps: readonly AppView[]; app: AppView }): ReactNode {
  return (
    <PopoverButton
      className="app-button"
      label={`${words.navigation.switchApp}: ${app.name}`}
      button={
        <>
          <bdi className="cut">{app.name}</bdi>
          <Icon of={ChevronsUpDown} />
        </>
      }
    >
      {() => (
        <div className="options">
          {apps.map(({ id, name }) => (
            // a whole load: nothing of one app may stay on the page of another
            <a key={id} href={pathOf(id, 'overview')} {...(id === app.id ? { 'aria-current': 'true' as const } : {})}>
              <bdi className="cut">{name}</bdi>
            </a>
          ))}
        </div>
      )}
    </PopoverButton>
  )
}

function Account({ app }: { app: string }): ReactNode {
  const { me, logout } = useSession()
  const theme = useTheme()
  return (
    <PopoverButton
      label={`${words.navigation.account}: ${me.member.name}`}
      button={
        <>
          <Icon of={CircleUser} />
          <bdi className="cut">{me.member.name}</bdi>
        </>
      }
    >
      {(close) => (
        <>
          <p className="hint">
            <bdi>{me.member.name}</bdi>, {me.member.role} · <bdi>{me.organization.name}</bdi>
          </p>
          <div className="options" role="group" aria-label={words.navigation.theme}>
            {themes.map((one) => (
              <button key={one} type="button" aria-pressed={one === theme} onClick={() => setTheme(one)}>
                {words.navigation.themes[one]}
              </button>
            ))}
          </div>
          <div className="options" onClick={close}>
            <AppLink app={app} to="account">
              {words.navigation.yourAccount}
            </AppLink>
            <button type="button" onClick={() => void logout()}>
              {words.navigation.logout}
            </button>
          </div>
        </>
      )}
    </PopoverButton>
  )
}
