import type { ReactNode } from 'react'
import { useSession } from '../../api/session.tsx'
import { PageFrame } from '../../frame/page-frame.tsx'
import { PageTitle } from '../../parts/page-title.tsx'
import { useScope } from '../../state/scope.tsx'
import { PasswordCard } from './password-card.tsx'
import { ProviderCard } from './provider-card.tsx'
import { SecondFactorCard } from './second-factor-card.tsx'
import { SessionsCard } from './sessions-card.tsx'

/** The account of the member who is logged in: password, linked login, second factor and sessions. */
export default function AccountPage(): ReactNode {
  const { app } = useScope()
  const { me } = useSession()
  return (
    <PageFrame>
      <div className="page-head">
        <PageTitle app={app.name}>Your account</PageTitle>
        <p className="freshness">
          <span>
            <bdi>{me.member.name}</bdi> ({me.member.id}), {me.member.role}
          </span>
          <span>
            <bdi>{me.organization.name}</bdi>
          </span>
        </p>
      </div>
      <div className="cards">
        <PasswordCard />
        <ProviderCard />
        <SecondFactorCard />
        <SessionsCard />
      </div>
    </PageFrame>
  )
}
