import { useState, type FormEvent, type ReactNode } from 'react'
import type { LoginWays, Role } from '@hopper/contracts'
import { useSession } from '../../api/session.tsx'
import { useReport } from '../../api/use-report.ts'
import { Card } from '../../parts/card.tsx'
import { CopyText } from '../../parts/copy-text.tsx'
import { Problem } from '../../parts/states/problem.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { useChange } from '../../parts/use-change.ts'
import { MemberItem, type MemberView } from './member-item.tsx'

interface Link {
  readonly member: string
  readonly login_link: string
}

const roles: Record<Role, string> = {
  viewer: 'viewer: sees everything, changes nothing',
  admin: 'admin: changes apps, keys and members',
  owner: 'owner: also makes owners',
}
const pathOf = (id: string, more = ''): string => `/api/v1/members/${encodeURIComponent(id)}${more}`

/** The members of the organization: invite, change the role, send a new login link, remove. */
export function MembersSettings({ owner }: { owner: boolean }): ReactNode {
  const { client, me } = useSession()
  const members = useReport<{ members: MemberView[] }>('/api/v1/members')
  const ways = useReport<LoginWays>('/api/v1/login')
  const { error, busy, run } = useChange(members.reload)
  const [link, setLink] = useState<Link | null>(null)
  const offered = (Object.keys(roles) as Role[]).filter((role) => owner || role !== 'owner')
  const invite = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const form = event.currentTarget
    const fields = new FormData(form)
    const [id, name] = [(fields.get('id') as string).trim(), (fields.get('name') as string).trim()]
    void run(async () => {
      const email = ((fields.get('email') as string | null) ?? '').trim()
      const body = { id, name: name || id, role: fields.get('role'), ...(email === '' ? {} : { email }) }
      setLink({ member: id, ...(await client.send<{ login_link: string }>('POST', '/api/v1/members', body)) })
      form.reset()
    })
  }
  const renew = (id: string): void =>
    void run(async () =>
      setLink({ member: id, ...(await client.send<{ login_link: string }>('POST', pathOf(id, '/login-link'))) }),
    )
  return (
    <Card title="Members" size="wide">
      {error && <Problem error={error} />}
      {link && (
        <div className="once" role="status">
          <p>
            <b>
              A link that logs <bdi>{link.member}</bdi> in once, within a day. Send it to nobody else:
            </b>
          </p>
          <CopyText text={link.login_link} label="Login link" />
        </div>
      )}
      <ReportView report={members}>
        {({ members: all }) => (
          <ul className="list">
            {all.map((member) => (
              <MemberItem
                key={member.id}
                member={member}
                roles={offered}
                isMe={member.id === me.member.id}
                mayChange={owner || member.role !== 'owner'}
                provider={ways.data?.provider?.name}
                change={(patch) => run(() => client.send('PATCH', pathOf(member.id), patch))}
                renew={() => renew(member.id)}
                reset={() => void run(() => client.send('DELETE', pathOf(member.id, '/second-factor')))}
                remove={() => void run(() => client.send('DELETE', pathOf(member.id)))}
              />
            ))}
          </ul>
        )}
      </ReportView>
      <InviteForm roles={offered} hasProvider={ways.data?.provider !== undefined} busy={busy} onSubmit={invite} />
    </Card>
  )
}

interface InviteProps {
  /** that the caller may give */
  roles: readonly Role[]
  hasProvider: boolean
  busy: boolean
  onSubmit: (event: FormEvent<HTMLFormElement>) => void
}

function InviteForm({ roles: offered, hasProvider, busy, onSubmit }: InviteProps): ReactNode {
  return (
    <form className="row" onSubmit={onSubmit}>
      <label className="inline">
        Id
        <input name="id" maxLength={64} pattern="[A-Za-z0-9][A-Za-z0-9_.\-]*" autoCapitalize="none" required />
      </label>
      <label className="inline">
        Name
        <input name="name" maxLength={200} />
      </label>
      {hasProvider && (
        <label className="inline">
          E-mail
          <input name="email" type="email" maxLength={254} />
        </label>
      )}
      <label className="inline">
        Role
        <select name="role" defaultValue="viewer">
          {offered.map((role) => (
            <option key={role} value={role}>
              {roles[role]}
            </option>
          ))}
        </select>
      </label>
      <button type="submit" className="primary" disabled={busy}>
        Invite
      </button>
    </form>
  )
}
