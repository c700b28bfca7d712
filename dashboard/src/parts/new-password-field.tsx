import { useState, type ReactNode } from 'react'

/** Asks for a new password, which can be shown: it is typed once. */
export function NewPasswordField(): ReactNode {
  const [isShown, setShown] = useState(false)
  return (
    <>
      <label>
        New password, at least 10 characters
        <input
          name="password"
          type={isShown ? 'text' : 'password'}
          autoComplete="new-password"
          autoCapitalize="none"
          spellCheck={false}
          minLength={10}
          maxLength={200}
          required
        />
      </label>
      <label className="check">
        <input type="checkbox" checked={isShown} onChange={(event) => setShown(event.target.checked)} />
        Show the password
      </label>
    </>
  )
}
