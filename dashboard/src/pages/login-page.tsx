import { useEffect, useState, type FormEvent, type ReactNode } from 'react'
import type { LoginFault, LoginWays, Me } from '@hopper/contracts'
import { ApiError, type Client } from '../api/client.ts'
import { Logo } from '../parts/logo.tsx'
import { Problem } from '../parts/problem.tsx'
import { rememberPlace } from '../state/left-place.ts'

/** Why a login in the address bar did not succeed, and what to do. */
const faults: Record<LoginFault, string> = {
  expired: 'This login link has been used or has expired. Ask for a new one, or log in with your password.',
  unavailable: 'The login by your provider is not available now. Try again in a minute, or log in with your password.',
  failed:
    'The answer of your provider was not valid, so you are not logged in. Try again; if it happens again, tell ' +
    'the person who runs Hopper: the log has the reason.',
  cancelled: 'Your provider did not let you in, or you have cancelled. You are not logged in.',
  stale: 'This login was used, took too long, or was begun in another browser. Log in again.',
  unknown:
    'Your provider knows you, but Hopper does not: no member has your e-mail address. Ask an admin of your ' +
    'organization to add it.',
  unverified:
    'Your provider does not confirm your e-mail address, so Hopper cannot tell who you are. Confirm it there, or log ' +
    'in with your password.',
  linked:
    'The member with your e-mail address logs in by another account of your provider. An admin of your organization ' +
    'can remove the address and add it again.',
  rate: 'Too many logins from your network have failed. Wait for a quarter of an hour, then try again.',
}

function faultOf(search: string): string | undefined {
  const fault = new URLSearchParams(search).get('login')
  return fault !== null && Object.hasOwn(faults, fault) ? faults[fault as LoginFault] : undefined
}

/** Asks for name and password. A login link does not need this page: the API follows it and returns with a cookie. */
interface Props {
  client: Client
  /** true if the member was logged in before, so that the page says why it appears */
  hasEnded: boolean
  onLogin: (me: Me) => void
}

export function LoginPage({ client, hasEnded, onLogin }: Props): ReactNode {
  const [error, setError] = useState<Error | null>(null)
  const [busy, setBusy] = useState(false)
  const [needsCode, setNeedsCode] = useState(false)
  const fault = faultOf(location.search)
  const submit = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    setBusy(true)
    setError(null)
    try {
      onLogin(
        await client.send<Me>('POST', '/api/v1/login', {
          member: (form.get('member') as string).trim(),
          password: form.get('password'),
          ...(needsCode ? { code: form.get('code') } : {}),
        }),
      )
    } catch (cause) {
      const asksForCode = !needsCode && cause instanceof ApiError && cause.code === 'HOP_SECOND_FACTOR'
      if (asksForCode) setNeedsCode(true)
      else setError(cause as Error)
      setBusy(false)
    }
  }
  return (
    <main className="alone">
      <form className="card login" onSubmit={(event) => void submit(event)}>
        <Logo />
        <h1>Log in</h1>
        {hasEnded && !error && <p role="status">Your login has ended. Log in again and you are back where you were.</p>}
        {fault !== undefined && !error && (
          <p className="problem" role="alert">
            {fault}
          </p>
        )}
        <label>
          Member
          <input name="member" autoComplete="username" autoCapitalize="none" maxLength={200} required autoFocus />
        </label>
        <label>
          Password
          <input name="password" type="password" autoComplete="current-password" maxLength={200} required />
        </label>
        {needsCode && (
          <label>
            Current code of your authenticator, or a recovery code
            <input name="code" autoComplete="one-time-code" maxLength={40} required autoFocus />
          </label>
        )}
        {error && <Problem error={error} />}
        <button type="submit" className="primary" disabled={busy}>
          {busy ? 'Logging in …' : 'Log in'}
        </button>
        <ProviderButton client={client} />
        <p className="hint">The first start of Hopper prints a link that logs its owner in.</p>
      </form>
    </main>
  )
}

/** Leads to the OpenID provider; nothing if there is none. A link, since forms may lead to this host only. */
function ProviderButton({ client }: { client: Client }): ReactNode {
  const [ways, setWays] = useState<LoginWays>({})
  useEffect(() => {
    // without an answer there is still the form
    client.get<LoginWays>('/api/v1/login').then(setWays, () => undefined)
  }, [client])
  if (!ways.provider) return null
  return (
    <a className="button" href="/login/oidc" onClick={rememberPlace}>
      <span>
        Log in with <bdi>{ways.provider.name}</bdi>
      </span>
    </a>
  )
}
