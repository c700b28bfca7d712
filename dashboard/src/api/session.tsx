import { Suspense, createContext, lazy, use, useEffect, useMemo, useState, type ReactNode } from 'react'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import type { LoggedOut, Me, OpenedLink } from '@hopper/contracts'
import { LoginPage } from '../pages/login/login-page.tsx'
import { Loading } from '../parts/states/loading.tsx'
import { Problem } from '../parts/states/problem.tsx'
import { takePlace } from '../state/left-place.ts'
import { needsPassword } from '../state/password-later.ts'
import { ChangeSignal } from './change-signal.ts'
import { ApiError, Client } from './client.ts'
import { Connection } from './connection.ts'

const ChoosePasswordPage = lazy(() => import('../pages/login/choose-password-page.tsx'))

/** Answers that nobody shows any more are kept for this long, so that going back is immediate. */
const KEPT_MS = 5 * 60_000
/** An answer younger than this is not requested again. */
const FRESH_MS = 2_000

/** Polling interval of a range that new events can change, while no stream reports changes. */
const POLL_MS = 5_000

export interface Session {
  readonly client: Client
  readonly connection: Connection
  readonly changes: ChangeSignal
  readonly me: Me
  /** keeps that the member has a password now */
  readonly hasChosenPassword: () => void
  readonly logout: () => Promise<void>
  /** the view that is shown, for the reader of a shared link, who is not a member */
  readonly shared?: OpenedLink
}

const SessionContext = createContext<Session | null>(null)

/** Returns the session of the logged-in member; valid only below `LoggedIn`. */
export function useSession(): Session {
  const session = use(SessionContext)
  if (!session) throw new Error('useSession is used outside LoggedIn')
  return session
}

/** Returns the shared view that is shown; undefined for members. */
export function useShared(): OpenedLink | undefined {
  return useSession().shared
}

interface ProviderProps {
  session: Session
  queries: QueryClient
  children: ReactNode
}

export function SessionProvider({ session, queries, children }: ProviderProps): ReactNode {
  return (
    <SessionContext value={session}>
      <QueryClientProvider client={queries}>{children}</QueryClientProvider>
    </SessionContext>
  )
}

type State = { is: 'unknown' } | { is: 'out'; ended: boolean } | { is: 'broken'; error: Error } | { is: 'in'; me: Me }

/** Shows its children to a member, and the login page to everybody else. */
export function LoggedIn({ children }: { children: ReactNode }): ReactNode {
  const [state, setState] = useState<State>({ is: 'unknown' })
  const [attempt, setAttempt] = useState(0)
  const connection = useMemo(() => new Connection(), [])
  const changes = useMemo(() => new ChangeSignal(POLL_MS), [])
  const queries = useMemo(newQueryClient, [])
  const client = useMemo(
    () =>
      new Client({
        // several calls may be refused at once
        onLoggedOut: () => setState((was) => (was.is === 'out' ? was : { is: 'out', ended: was.is === 'in' })),
        onAnswer: (answered) => connection.report(answered),
      }),
    [connection],
  )
  const enter = useMemo(
    () => (me: Me) => {
      const place = takePlace()
      if (place !== undefined) return location.replace(place)
      client.trust(me.csrf)
      setState({ is: 'in', me })
    },
    [client],
  )
  useEffect(() => {
    client.get<Me>('/api/v1/me').then(enter, (error: Error) => {
      if (!(error instanceof ApiError && error.status === 401)) setState({ is: 'broken', error })
    })
  }, [client, enter, attempt])
  const session = useMemo(
    () =>
      state.is === 'in'
        ? {
            client,
            connection,
            changes,
            me: state.me,
            hasChosenPassword: () => setState({ is: 'in', me: withPassword(state.me) }),
            logout: async () => {
              const next = await logout(client)
              queries.clear()
              setState(next)
            },
          }
        : null,
    [client, connection, changes, queries, state],
  )
  if (state.is === 'out') return <LoginPage client={client} hasEnded={state.ended} onLogin={enter} />
  if (state.is === 'broken')
    return (
      <main className="alone">
        <Problem error={state.error} retry={() => setAttempt(attempt + 1)} />
      </main>
    )
  if (!session) return <LoadingAlone />
  if (needsPassword(session.me))
    return (
      <Suspense fallback={<LoadingAlone />}>
        <ChoosePasswordPage client={client} me={session.me} onDone={(me) => setState({ is: 'in', me })} />
      </Suspense>
    )
  return (
    <SessionProvider session={session} queries={queries}>
      {children}
    </SessionProvider>
  )
}

function withPassword(me: Me): Me {
  return { ...me, member: { ...me.member, has_password: true } }
}

function LoadingAlone(): ReactNode {
  return (
    <main className="alone">
      <Loading />
    </main>
  )
}

export function newQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        gcTime: KEPT_MS,
        staleTime: FRESH_MS,
        retry: false,
        refetchOnWindowFocus: true,
        networkMode: 'always',
      },
    },
  })
}

/** Logs out, at the provider too. A failed logout must not look like a successful one. */
async function logout(client: Client): Promise<State> {
  try {
    const answer = await client.send<LoggedOut | undefined>('POST', '/api/v1/logout')
    if (answer) location.assign(answer.provider_logout_url)
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 401)) return { is: 'broken', error: error as Error }
  }
  return { is: 'out', ended: false }
}
