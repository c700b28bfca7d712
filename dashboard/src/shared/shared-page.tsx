import { useEffect, useMemo, useRef, useState, type FormEvent, type ReactNode } from 'react'
import { RouterProvider } from '@tanstack/react-router'
import type { OpenedLink } from '@hopper/contracts'
import { ChangeSignal } from '../api/change-signal.ts'
import { ApiError, Client } from '../api/client.ts'
import { Connection } from '../api/connection.ts'
import { newQueryClient, SessionProvider } from '../api/session.tsx'
import { Loading } from '../parts/states/loading.tsx'
import { Logo } from '../parts/logo.tsx'
import { Problem } from '../parts/states/problem.tsx'
import { sharedRouter } from '../routes.tsx'
import { sharedWords } from './shared-words.ts'
import { addressOf } from './view-address.ts'

/** Interval at which the page asks whether its link still holds, and while a stream would end with the link. */
const CHECK_MS = 10_000
const CHECK_MS_WITH_STREAM = 60_000
/** Many may look at a shared view, and not all of them get a stream of changes. */
const POLL_MS = 60_000

type State =
  | { is: 'opening' }
  | { is: 'locked'; token: string; error?: Error }
  | { is: 'ended'; hint: string }
  | { is: 'broken'; error: Error }
  | { is: 'open'; link: OpenedLink }

interface Props {
  /** of the link */
  id: string
  /** true in a frame on another site, where no cookie is kept */
  inFrame: boolean
}

/** Opens a shared link, asks for its password if it has one, and shows its view. */
export default function SharedPage({ id, inFrame }: Props): ReactNode {
  const [state, setState] = useState<State>({ is: 'opening' })
  const connection = useMemo(() => new Connection(), [])
  const client = useMemo(
    () =>
      new Client({
        onLoggedOut: () => setState((was) => (was.is === 'open' ? ended(sharedWords.endedHint) : was)),
        onAnswer: (answered) => connection.report(answered),
      }),
    [connection],
  )
  const open = useMemo(
    () =>
      async (token: string, password?: string): Promise<void> => {
        try {
          const link = await client.send<OpenedLink>('POST', `/api/v1/shared-links/${encodeURIComponent(id)}/open`, {
            token,
            ...(password === undefined ? {} : { password }),
            ...(inFrame ? { in_frame: true } : {}),
          })
          client.share(link.session ?? link.id)
          setState({ is: 'open', link })
        } catch (error) {
          setState(afterFailure(error as Error, token, password !== undefined))
        }
      },
    [client, id, inFrame],
  )
  const begun = useRef(false)
  useEffect(() => {
    if (begun.current) return
    begun.current = true
    const token = location.hash.slice(1)
    // a frame keeps it, so that it can be loaded again without a cookie
    if (token !== '' && !inFrame) history.replaceState(history.state, '', location.pathname)
    if (token !== '') return void open(token)
    client.share(id)
    client.get<OpenedLink>('/api/v1/shared-view').then(
      (link) => setState({ is: 'open', link }),
      (error: Error) =>
        setState(
          error instanceof ApiError && error.status === 401 ? ended(sharedWords.reopen) : { is: 'broken', error },
        ),
    )
  }, [client, id, inFrame, open])
  if (state.is === 'open') return <Opened client={client} connection={connection} opened={state.link} />
  return (
    <main className="alone">
      {state.is === 'opening' && <Loading />}
      {state.is === 'locked' && (
        <PasswordForm
          {...(state.error ? { error: state.error } : {})}
          onPassword={(password) => open(state.token, password)}
        />
      )}
      {state.is === 'ended' && <Ended hint={state.hint} />}
      {state.is === 'broken' && <Problem error={state.error} retry={() => location.reload()} />}
    </main>
  )
}

function ended(hint: string): State {
  return { is: 'ended', hint }
}

function afterFailure(error: Error, token: string, hadPassword: boolean): State {
  const code = error instanceof ApiError ? error.code : ''
  if (code === 'HOP_SHARED_LINK') return ended(sharedWords.endedHint)
  if (code === 'HOP_SHARED_PASSWORD') return { is: 'locked', token, ...(hadPassword ? { error } : {}) }
  return hadPassword ? { is: 'locked', token, error } : { is: 'broken', error }
}

interface OpenedProps {
  client: Client
  connection: Connection
  opened: OpenedLink
}

/** The page of the view. It lives at an address of its own, so nothing on it leads elsewhere. */
function Opened({ client, connection, opened }: OpenedProps): ReactNode {
  const [shared, setShared] = useState(opened)
  const queries = useMemo(newQueryClient, [])
  const changes = useMemo(() => new ChangeSignal(POLL_MS), [])
  const router = useMemo(() => sharedRouter(addressOf(opened.app.id, opened.view)), [opened])
  useEffect(() => {
    let checkedAt = Date.now()
    const check = (): void => {
      const pauseMs = changes.isConnected ? CHECK_MS_WITH_STREAM : 0
      if (document.visibilityState !== 'visible' || Date.now() - checkedAt < pauseMs) return
      checkedAt = Date.now()
      // an ended link is reported by the client
      client.get<OpenedLink>('/api/v1/shared-view').then(setShared, () => undefined)
    }
    const timer = setInterval(check, CHECK_MS)
    document.addEventListener('visibilitychange', check)
    return () => {
      clearInterval(timer)
      document.removeEventListener('visibilitychange', check)
    }
  }, [client, changes])
  const session = useMemo(() => {
    return {
      client,
      connection,
      changes,
      shared,
      me: {
        member: { id: '', name: '', role: 'viewer' as const, has_password: false },
        organization: { id: '', name: '' },
        csrf: '',
      },
      hasChosenPassword: () => undefined,
      logout: () => Promise.resolve(),
    }
  }, [client, connection, changes, shared])
  return (
    <SessionProvider session={session} queries={queries}>
      <RouterProvider router={router} />
    </SessionProvider>
  )
}

function PasswordForm({
  error,
  onPassword,
}: {
  error?: Error
  onPassword: (password: string) => Promise<void>
}): ReactNode {
  const [busy, setBusy] = useState(false)
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const password = new FormData(event.currentTarget).get('password') as string
    setBusy(true)
    void onPassword(password).finally(() => setBusy(false))
  }
  return (
    <form className="card login" onSubmit={submit}>
      <Logo />
      <h1>{sharedWords.passwordTitle}</h1>
      <label>
        {sharedWords.password}
        <input name="password" type="password" autoComplete="off" maxLength={200} required autoFocus />
      </label>
      {error && <Problem error={error} />}
      <button type="submit" className="primary" disabled={busy}>
        {sharedWords.open}
      </button>
    </form>
  )
}

function Ended({ hint }: { hint: string }): ReactNode {
  return (
    <section className="card login">
      <Logo />
      <h1>{sharedWords.ended}</h1>
      <p>{hint}</p>
    </section>
  )
}
