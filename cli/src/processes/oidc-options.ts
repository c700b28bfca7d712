import type { ApiOptions } from '@hopper/api'
import type { Config } from '../config/config.ts'

type OidcSettings = Config<
  'oidcIssuer' | 'oidcClientId' | 'oidcClientSecret' | 'oidcClientSecretFile' | 'oidcName' | 'oidcOrigins'
>

/** The OpenID provider of the API; nothing if none is set. */
export function oidcOptions(config: OidcSettings): Pick<ApiOptions, 'oidc'> {
  const { oidcIssuer: issuer, oidcClientId: clientId, oidcName: name, oidcOrigins: origins = [] } = config
  const clientSecret = config.oidcClientSecret ?? config.oidcClientSecretFile
  if (issuer === undefined || clientId === undefined || clientSecret === undefined) return {}
  return { oidc: { issuer, clientId, clientSecret, name, origins } }
}
