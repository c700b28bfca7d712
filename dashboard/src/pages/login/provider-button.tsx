import { useEffect, useState, type ReactNode } from 'react'
import type { LoginWays } from '@hopper/contracts'
import type { Client } from '../../api/client.ts'
import { rememberPlace } from '../../state/left-place.ts'

interface Props {
  client: Client
  /** text before the name of the provider */
  children: ReactNode
}

/** Links to the OpenID provider; nothing if there is none. A link, since forms may lead to this host only. */
export function ProviderButton({ client, children }: Props): ReactNode {
  const [ways, setWays] = useState<LoginWays>({})
  useEffect(() => {
    // without an answer there is still the form
    client.get<LoginWays>('/api/v1/login').then(setWays, () => undefined)
  }, [client])
  if (!ways.provider) return null
  return (
    <a className="button" href="/login/oidc" onClick={rememberPlace}>
      <span>
        {children} <bdi>{ways.provider.name}</bdi>
      </span>
    </a>
  )
}
