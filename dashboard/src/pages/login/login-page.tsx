import { useState, type FormEvent, type ReactNode } from 'react'
import type { Me } from '@hopper/contracts'
import { ApiError, type Client } from '../../api/client.ts'
import { Logo } from '../../parts/logo.tsx'
import { Problem } from '../../parts/states/problem.tsx'
import { loginFault } from './login-fault.ts'
import { ProviderButton } from './provider-button.tsx'

interface Props {
  client: Client
  /** true if the member was logged in before, so that the page says why it appears */
  hasEnded: boolean
  onLogin: (me: Me) => void
}

/** Asks for name and password. A login link does not need this page: the API follows it and returns with a cookie. */
export function LoginPage({ client, hasEnded, onLogin }: Props): ReactNode {
  const [error, setError] = useState<Error | null>(null)
  const [busy, setBusy] = useState(false)
  const [needsCode, setNeedsCode] = useState(false)
  const fault = loginFault(location.search)
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
        <ProviderButton client={client}>Log in with</ProviderButton>
        <p className="hint">The first start of Hopper prints a link that logs its owner in.</p>
      </form>
    </main>
  )
}
