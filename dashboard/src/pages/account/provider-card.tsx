import type { ReactNode } from 'react'
import { useSession } from '../../api/session.tsx'
import { Card } from '../../parts/card.tsx'

/** Shows that the member's login is linked with an account at the OpenID provider; nothing if it is not. */
export function ProviderCard(): ReactNode {
  const { me } = useSession()
  if (!me.provider_login) return null
  const { name, email } = me.provider_login
  return (
    <Card title={`Login with ${name}`}>
      <p>
        Your login is linked with your account at <bdi>{name}</bdi>, which was found by the address <bdi>{email}</bdi>.
      </p>
      <p className="hint">
        Only this account logs in as you, even if its address changes. It does not ask for the second factor below: your
        provider decides how it recognizes you. An admin of your organization can end the link.
      </p>
    </Card>
  )
}
