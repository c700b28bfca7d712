import { Inject, Injectable } from '@nestjs/common'
import * as client from 'openid-client'
import type { Logger } from 'pino'
import type { OidcOptions } from '../../options.ts'
import { LOGGER, OIDC_OPTIONS, PUBLIC_URL } from '../../tokens.ts'
import { comparableEmail } from '../email.ts'
import { providerRefusal } from './provider-refusal.ts'
import type { LoginAttempt } from '../login-attempts.ts'
import { boundedFetch, checkAddress, ProviderUnreachable, UnusableProvider } from './provider-requests.ts'

/** The description of a provider is read again after this time; until it answers, the old one is used. */
const DESCRIPTION_MS = 3_600_000
/** A provider that did not answer is not asked again for this long. */
const RETRY_MS = 5_000
const TIMEOUT_SECONDS = 5
/** Logins whose code is being exchanged: a slow provider must not hold any number of requests. */
const EXCHANGES_MAX = 32
const SCOPE = 'openid email'

/** Path to which the provider leads a browser back. */
export const CALLBACK_PATH = '/login/oidc/callback'

/** An account that the provider has identified. */
export interface ProviderAccount {
  readonly issuer: string
  readonly subject: string
  /** in lower case; only if the provider says that it has verified it */
  readonly email?: string
}

/** An account that has just logged in at the provider. */
export interface LoggedInAccount extends ProviderAccount {
  /** names the session at the provider when it is to end */
  readonly idToken: string
}

/** The OpenID provider of the operator. Nothing is asked of it before the first login. */
@Injectable()
export class OidcProvider {
  private readonly options: OidcOptions | undefined
  private readonly redirectUri: string
  private readonly origins: ReadonlySet<string>
  private readonly logger: Logger
  private description: { readonly configuration: client.Configuration; readonly until: number } | undefined
  private reading: Promise<client.Configuration> | undefined
  private failed: { readonly error: unknown; readonly until: number } | undefined
  private exchanges = 0

  constructor(
    @Inject(OIDC_OPTIONS) options: OidcOptions | undefined,
    @Inject(PUBLIC_URL) publicUrl: string,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.options = options
    this.redirectUri = new URL(CALLBACK_PATH, publicUrl).href
    this.origins = new Set(options ? [new URL(options.issuer).origin, ...options.origins] : [])
    this.logger = logger
  }

  /** For the button of the login page; undefined if there is no provider. */
  get name(): string | undefined {
    return this.options?.name
  }

  /** Returns the address of the provider to which the browser goes. @throws HopperError of `providerRefusal` */
  async authorizationUrl({ state, nonce, verifier }: LoginAttempt): Promise<string> {
    return this.guard(async () =>
      client.buildAuthorizationUrl(await this.configuration(), {
        redirect_uri: this.redirectUri,
        scope: SCOPE,
        state,
        nonce,
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      }),
    ).then(({ href }) => href)
  }

  /**
   * Exchanges the code in the address to which the browser came back.
   * @param query of that address, as it was sent
   * @throws HopperError of `providerRefusal`
   */
  async identify(query: string, { state, nonce, verifier }: LoginAttempt): Promise<LoggedInAccount> {
    if (this.exchanges >= EXCHANGES_MAX) throw providerRefusal('unavailable')
    this.exchanges++
    try {
      return await this.guard(async () => {
        const configuration = await this.configuration()
        const tokens = await client.authorizationCodeGrant(configuration, new URL(query, this.redirectUri), {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: verifier,
          idTokenExpected: true,
        })
        return accountOf(configuration, tokens)
      })
    } finally {
      this.exchanges--
    }
  }

  /**
   * Returns the address at which a browser ends its session at the provider (OpenID Connect RP-Initiated Logout 1.0);
   * undefined if the provider has none, or does not answer: the logout here does not depend on it. It names no address
   * to come back to: providers refuse addresses that are not registered with them.
   * @param idToken of the login; empty if it is not known, and the provider asks the person then
   */
  async endSessionUrl(idToken: string): Promise<string | undefined> {
    if (!this.options) return undefined
    try {
      const configuration = await this.configuration()
      const { end_session_endpoint: address } = configuration.serverMetadata()
      if (address === undefined || !URL.canParse(address)) return undefined
      checkAddress(address, this.origins)
      return client.buildEndSessionUrl(configuration, idToken === '' ? {} : { id_token_hint: idToken }).href
    } catch (error) {
      const reason = describe(causeOf(error))
      this.logger.warn({ issuer: this.options.issuer, reason }, 'a session at the provider is not ended')
      return undefined
    }
  }

  /** The description of the provider, with what is needed to talk to it. One request at a time reads it. */
  private async configuration(): Promise<client.Configuration> {
    const now = performance.now()
    const known = this.description
    if (known && now < known.until) return known.configuration
    if (!this.reading) {
      if (this.failed && now < this.failed.until) {
        if (known) return known.configuration
        throw this.failed.error
      }
      this.reading = this.discover().finally(() => (this.reading = undefined))
    }
    try {
      return await this.reading
    } catch (error) {
      if (known) return known.configuration
      throw error
    }
  }

  private async discover(): Promise<client.Configuration> {
    const { issuer, clientId, clientSecret } = this.options!
    const [basic, post] = [client.ClientSecretBasic(clientSecret), client.ClientSecretPost(clientSecret)]
    const authentication: client.ClientAuth = (server, ...rest) => {
      const { token_endpoint_auth_methods_supported: methods = ['client_secret_basic'] } = server
      return (methods.includes('client_secret_basic') ? basic : post)(server, ...rest)
    }
    try {
      const configuration = await client.discovery(new URL(issuer), clientId, undefined, authentication, {
        timeout: TIMEOUT_SECONDS,
        [client.customFetch]: boundedFetch(this.origins),
        execute: [
          // the signature is checked as well, not only the connection by which the token came
          client.enableNonRepudiationChecks,
          ...(issuer.startsWith('http:') ? [client.allowInsecureRequests] : []),
        ],
      })
      this.checkDescription(configuration.serverMetadata())
      this.failed = undefined
      this.description = { configuration, until: performance.now() + DESCRIPTION_MS }
      return configuration
    } catch (error) {
      this.failed = { error, until: performance.now() + RETRY_MS }
      throw error
    }
  }

  /** The library accepts issuers of several tenants; here one provider is meant. */
  private checkDescription(server: client.ServerMetadata): void {
    if (new URL(server.issuer).href !== new URL(this.options!.issuer).href)
      throw new UnusableProvider(`the provider calls itself ${server.issuer.slice(0, 200)}, not as --oidc-issuer`)
    const addresses = [
      server.authorization_endpoint,
      server.token_endpoint,
      server.jwks_uri,
      ...(server.userinfo_endpoint === undefined ? [] : [server.userinfo_endpoint]),
    ]
    for (const address of addresses) {
      if (address === undefined || !URL.canParse(address)) throw new UnusableProvider('the provider lacks an address')
      checkAddress(address, this.origins)
    }
  }

  /** Runs a request to the provider. A failure is logged without anything that was sent or received. */
  private async guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      const cause = causeOf(error)
      if (error instanceof client.AuthorizationResponseError && error.error === 'access_denied')
        throw providerRefusal('cancelled')
      this.logger.warn({ issuer: this.options!.issuer, reason: describe(cause) }, 'a login by OpenID Connect failed')
      throw providerRefusal(cause instanceof ProviderUnreachable ? 'unavailable' : 'failed')
    }
  }
}

async function accountOf(
  configuration: client.Configuration,
  tokens: client.TokenEndpointResponse & client.TokenEndpointResponseHelpers,
): Promise<LoggedInAccount> {
  const claims = tokens.claims()!
  const asks = claims.email === undefined && configuration.serverMetadata().userinfo_endpoint !== undefined
  const { email, email_verified: isVerified } = asks
    ? await client.fetchUserInfo(configuration, tokens.access_token, claims.sub)
    : claims
  const comparable = isVerified === true ? comparableEmail(email) : undefined
  const account = { issuer: claims.iss, subject: claims.sub, idToken: tokens.id_token! }
  return comparable === undefined ? account : { ...account, email: comparable }
}

/** Our own errors come wrapped by the library. */
function causeOf(error: unknown): unknown {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof ProviderUnreachable || cause instanceof UnusableProvider ? cause : error
}

/** Describes a failure by its code: messages and causes of the library contain answers and tokens. */
function describe(error: unknown): string {
  if (error instanceof ProviderUnreachable || error instanceof UnusableProvider) return error.message
  const { code, error: answered, status } = error as { code?: unknown; error?: unknown; status?: unknown }
  const parts = [code, answered, status].filter((part) => ['string', 'number'].includes(typeof part))
  if (parts.length > 0) return parts.join(' ').slice(0, 200)
  return error instanceof Error ? error.name : 'unknown'
}
