import { useState, type FormEvent, type ReactNode } from 'react'
import { useSession } from '../../api/session.tsx'
import { Card } from '../../parts/card.tsx'
import { NewPasswordField } from '../../parts/new-password-field.tsx'
import { Problem } from '../../parts/states/problem.tsx'
import { useChange } from '../../parts/use-change.ts'

/** Sets or changes the member's own password. */
export function PasswordCard(): ReactNode {
  const { client, me, hasChosenPassword } = useSession()
  const hasPassword = me.member.has_password
  const [isChanged, setChanged] = useState(false)
  const { error, busy, run } = useChange(() => setChanged(true))
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const form = event.currentTarget
    const fields = new FormData(form)
    const [password, current] = [fields.get('password'), fields.get('current')]
    setChanged(false)
    void run(async () => {
      await client.send('PATCH', '/api/v1/members/me', {
        password,
        ...(current === null ? {} : { current_password: current }),
      })
      form.reset()
      hasChosenPassword()
    })
  }
  return (
    <Card title="Password">
      <form className="fields" onSubmit={submit}>
        {hasPassword && (
          <label>
            Current password
            <input name="current" type="password" autoComplete="current-password" maxLength={200} required />
          </label>
        )}
        <NewPasswordField />
        {error && <Problem error={error} />}
        {isChanged && <p role="status">The password is saved. Your other sessions have ended.</p>}
        <div className="row">
          <button type="submit" className="primary" disabled={busy}>
            {hasPassword ? 'Change the password' : 'Set the password'}
          </button>
        </div>
      </form>
    </Card>
  )
}
