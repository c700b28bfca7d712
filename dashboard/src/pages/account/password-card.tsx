import { useState, type FormEvent, type ReactNode } from 'react'
import { useSession } from '../../api/session.tsx'
import { Card } from '../../parts/card.tsx'
import { NewPasswordField } from '../../parts/new-password-field.tsx'
import { Problem } from '../../parts/states/problem.tsx'
import { useChange } from '../../parts/use-change.ts'

/** Sets or changes the member's own password. */
export function PasswordCard(): ReactNode {
  const { client } = useSession()
  const [isChanged, setChanged] = useState(false)
  const { error, busy, run } = useChange(() => setChanged(true))
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const form = event.currentTarget
    const fields = new FormData(form)
    const [password, current_password] = [fields.get('password'), fields.get('current')]
    setChanged(false)
    void run(async () => {
      await client.send('PATCH', '/api/v1/members/me', {
        password,
        ...(current_password === '' ? {} : { current_password }),
      })
      form.reset()
    })
  }
  return (
    <Card title="Password">
      <form className="fields" onSubmit={submit}>
        <label>
          Current password, if you have one
          <input name="current" type="password" autoComplete="current-password" maxLength={200} />
        </label>
        <NewPasswordField />
        {error && <Problem error={error} />}
        {isChanged && <p role="status">The password is changed. Your other sessions have ended.</p>}
        <div className="row">
          <button type="submit" className="primary" disabled={busy}>
            Change the password
          </button>
        </div>
      </form>
    </Card>
  )
}
