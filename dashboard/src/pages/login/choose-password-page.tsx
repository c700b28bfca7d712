import type { FormEvent, ReactNode } from 'react'
import type { Me } from '@hopper/contracts'
import type { Client } from '../../api/client.ts'
import { Logo } from '../../parts/logo.tsx'
import { NewPasswordField } from '../../parts/new-password-field.tsx'
import { Problem } from '../../parts/states/problem.tsx'
import { useChange } from '../../parts/use-change.ts'
import { choosePasswordLater, mayChooseLater } from '../../state/password-later.ts'
import { loginFault } from './login-fault.ts'
import { ProviderButton } from './provider-button.tsx'

interface Props {
  client: Client
  me: Me
  onDone: (me: Me) => void
}

/** Asks a member who came by a login link for a password, or for a login at the provider, before the first page. */
export default function ChoosePasswordPage({ client, me, onDone }: Props): ReactNode {
  const { member, organization } = me
  const { error, busy, run } = useChange(() => onDone({ ...me, member: { ...member, has_password: true } }))
  const fault = loginFault(location.search)
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const password = new FormData(event.currentTarget).get('password')
    void run(() => client.send('PATCH', '/api/v1/members/me', { password }))
  }
  const later = (): void => {
    choosePasswordLater(me)
    onDone(me)
  }
  return (
    <main className="alone">
      <form className="card login" onSubmit={submit}>
        <Logo />
        <h1>Choose a password</h1>
        <p>
          You are logged in to <bdi>{organization.name}</bdi>. Your link is used up: next time, log in with this name
          and the password that you choose now.
        </p>
        {fault !== undefined && !error && (
          <p className="problem" role="alert">
            {fault}
          </p>
        )}
        <label>
          Member
          <input name="member" value={member.id} autoComplete="username" readOnly />
        </label>
        <NewPasswordField />
        {error && <Problem error={error} />}
        <button type="submit" className="primary" disabled={busy}>
          Set the password
        </button>
        {member.email !== undefined && <ProviderButton client={client}>Log in without a password, with</ProviderButton>}
        {mayChooseLater(me) && (
          <button type="button" onClick={later}>
            Not now
          </button>
        )}
      </form>
    </main>
  )
}
