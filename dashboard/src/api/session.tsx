import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from 'react'
import type { Me } from '@hopper/contracts'
import { LoginPage } from '../pages/login-page.tsx'
import { Loading } from '../parts/loading.tsx'
import { Problem } from '../parts/problem.tsx'
import { ApiError, Client } from './client.ts'

export interface Session {
  readonly client: Client
  readonly me: Me
  readonly logout: () => Promise<void>
}

const SessionContext = createContext<Session | null>(null)

/** Returns the session of the logged-in member; valid only below `LoggedIn`. */
export function useSession(): Session {
  const session = useContext(SessionContext)
  if (!session) throw new Error('useSession is used outside LoggedIn')
  return session
}

type State = { is: 'unknown' } | { is: 'out' } | { is: 'broken'; error: Error } | { is: 'in'; me: Me }

/** Shows its children to a member, and the login page to everybody else. */
export function LoggedIn({ children }: { children: ReactNode }): ReactNode {
  const [state, setState] = useState<State>({ is: 'unknown' })
  const client = useMemo(() => new Client(() => setState({ is: 'out' })), [])
  const enter = useMemo(
    () => (me: Me) => {
      client.trust(me.csrf)
      setState({ is: 'in', me })
    },
    [client],
  )
  useEffect(() => {
    client.get<Me>('/api/v1/me').then(enter, (error: Error) => {
      if (!(error instanceof ApiError && error.status === 401)) setState({ is: 'broken', error })
    })
  }, [client, enter])
  const session = useMemo(
    () => (state.is === 'in' ? { client, me: state.me, logout: () => logout(client).then(setState) } : null),
    [client, state],
  )
  if (state.is === 'out') return <LoginPage client={client} onLogin={enter} />
  if (state.is === 'broken')
    return (
      <main className="alone">
        <Problem error={state.error} />
      </main>
    )
  if (!session)
    return (
      <main className="alone">
        <Loading />
      </main>
    )
  return <SessionContext value={session}>{children}</SessionContext>
}

/** Logs out. A failed logout must not look like a successful one. */
async function logout(client: Client): Promise<State> {
  try {
    await client.send('POST', '/api/v1/logout')
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 401)) return { is: 'broken', error: error as Error }
  }
  return { is: 'out' }
}
