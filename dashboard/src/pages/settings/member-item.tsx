import { useState, type FormEvent, type ReactNode } from 'react'
import type { Role } from '@hopper/contracts'
import { AskButton } from '../../parts/buttons/ask-button.tsx'

const RESET =
  'From then on, a password or a login link is enough to log in, until the member sets up another second factor.'
const DELETION =
  'All sessions end at once, and password, second factor and links to a provider are lost. Links and notes of this ' +
  'member stay.'

export interface MemberView {
  readonly id: string
  readonly name: string
  readonly role: Role
  readonly has_password: boolean
  readonly second_factor: boolean
  readonly email?: string
  readonly provider_linked: boolean
}

interface Props {
  member: MemberView
  /** roles that the caller may assign */
  roles: readonly Role[]
  isMe: boolean
  mayChange: boolean
  /** name of the OpenID provider; undefined if there is none */
  provider: string | undefined
  /** resolves with whether it succeeded */
  change: (patch: { role: Role } | { email: string | null }) => Promise<boolean>
  renew: () => void
  reset: () => void
  remove: () => void
}

/** A member in the list: how they log in, and what an admin can change. */
export function MemberItem(props: Props): ReactNode {
  const { member, roles, isMe, mayChange, provider, change, renew, reset, remove } = props
  const { id, name, role, second_factor: secondFactor } = member
  const [isEditing, setEditing] = useState(false)
  return (
    <li>
      <b>
        <bdi>{name}</bdi>
      </b>{' '}
      <code>{id}</code> {isMe && <span className="badge">you</span>} <Ways member={member} provider={provider} />
      {mayChange ? (
        <span className="list-actions">
          <select
            aria-label={`Role of ${id}`}
            value={role}
            onChange={(event) => void change({ role: event.target.value as Role })}
          >
            {roles.map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>
          {provider !== undefined && (
            <button
              type="button"
              className="small"
              aria-label={`E-mail address of ${id}`}
              aria-expanded={isEditing}
              onClick={() => setEditing(!isEditing)}
            >
              E-mail
            </button>
          )}
          <button type="button" className="small" aria-label={`New link for ${id}`} onClick={renew}>
            New link
          </button>
          {secondFactor && !isMe && (
            <AskButton verb="Reset" label={`Reset the second factor of ${id}`} consequence={RESET} onConfirm={reset} />
          )}
          {!isMe && <AskButton label={`Delete the member ${id}`} consequence={DELETION} onConfirm={remove} />}
        </span>
      ) : (
        <span className="badge">{role}</span>
      )}
      {isEditing && provider !== undefined && (
        <EmailForm
          member={member}
          provider={provider}
          save={async (email) => {
            if (await change({ email })) setEditing(false)
          }}
        />
      )}
    </li>
  )
}

/** Shows how a member can log in. */
function Ways({ member, provider }: { member: MemberView; provider: string | undefined }): ReactNode {
  const { has_password: hasPassword, second_factor: secondFactor, email, provider_linked: isLinked } = member
  return (
    <span className="hint">
      {hasPassword ? 'has a password' : 'logs in by links'}
      {secondFactor && ', second factor on'}
      {email !== undefined && provider !== undefined && (
        <>
          , <bdi>{email}</bdi> {isLinked ? 'is linked with' : 'may log in with'} <bdi>{provider}</bdi>
        </>
      )}
    </span>
  )
}

interface EmailProps {
  member: MemberView
  provider: string
  /** null: none */
  save: (email: string | null) => Promise<void>
}

function EmailForm({ member: { id, email, provider_linked: isLinked }, provider, save }: EmailProps): ReactNode {
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const text = (new FormData(event.currentTarget).get('email') as string).trim()
    void save(text === '' ? null : text)
  }
  return (
    <form className="row below" onSubmit={submit}>
      <label className="inline">
        E-mail of {id} at {provider}
        <input name="email" type="email" maxLength={254} defaultValue={email} autoFocus />
      </label>
      <button type="submit" className="small">
        Save
      </button>
      <span className="hint">
        {isLinked
          ? 'Another address, or none, ends the link and the sessions of this member.'
          : 'A person with this address there, confirmed, logs in as this member.'}
      </span>
    </form>
  )
}
