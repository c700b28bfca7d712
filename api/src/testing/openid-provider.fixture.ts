import { generateKeyPairSync, type KeyPairKeyObjectResult } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider from 'oidc-provider'

/** Claims of the provider about an account; they may change between two logins. */
export interface TestAccount {
  email?: string
  email_verified?: boolean | string
}

export interface OpenIdProvider {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** by subject */
  readonly accounts: Map<string, TestAccount>
  /** subject of the next login at the provider; undefined: the person cancels */
  account: string | undefined
  /** the only address to which it leads browsers back */
  redirectUri: string
  /** true: it publishes other keys than the ones that it signs with */
  hasOtherKeys: boolean
  /** true: codes are not exchanged, and nothing is answered */
  hangs: boolean
  /** paths that were requested, without their queries */
  readonly requests: readonly string[]
  /** Stops listening, as a provider that is down. */
  stop(): Promise<void>
  /** Listens again, at the same address. */
  start(): Promise<void>
}

export interface OpenIdProviderOptions {
  readonly redirectUri: string
  /** false: the e-mail address is only in the answer of userinfo */
  readonly isEmailInIdToken?: boolean
  /** true: a page with a button, for a browser; false: logged in at once */
  readonly hasPage?: boolean
  /** false: there is no page that ends a session */
  readonly hasLogout?: boolean
}

const CLIENT = { id: 'hopper', secret: 'a-secret-of-hopper-at-the-provider' }
const KEY = { kid: 'test', use: 'sig', alg: 'RS256' }
const newKey = (): KeyPairKeyObjectResult => generateKeyPairSync('rsa', { modulusLength: 2_048 })
const INTERACTION = /^\/interaction\/[\w-]+(\/login)?$/

/** Starts an OpenID provider on this machine: `oidc-provider`, with accounts of the test and without passwords. */
export async function openIdProvider(options: OpenIdProviderOptions): Promise<OpenIdProvider> {
  let listening = await listen(0, () => undefined)
  const { port } = listening.address() as AddressInfo
  const requests: string[] = []
  const state: OpenIdProvider = {
    issuer: `http://127.0.0.1:${port}`,
    clientId: CLIENT.id,
    clientSecret: CLIENT.secret,
    accounts: new Map(),
    account: undefined,
    redirectUri: options.redirectUri,
    hasOtherKeys: false,
    hangs: false,
    requests,
    stop: async () => {
      listening.closeAllConnections()
      await new Promise((resolve) => listening.close(resolve))
    },
    start: async () => void (listening = await listen(port, handle)),
  }
  const provider = providerOf(state, options)
  provider.Client.prototype.redirectUriAllowed = (uri) => uri === state.redirectUri
  const callback = provider.callback()
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const path = request.url!.split('?', 1)[0]!
    requests.push(path)
    if (state.hangs && path === '/token') return
    if (state.hasOtherKeys && path === '/jwks') {
      const keys = [{ ...newKey().publicKey.export({ format: 'jwk' }), ...KEY }]
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ keys }))
    } else if (INTERACTION.test(path)) void interact(provider, state, options, request, response)
    else void callback(request, response)
  }
  listening.removeAllListeners('request').on('request', handle)
  return state
}

function providerOf(
  state: OpenIdProvider,
  { redirectUri, isEmailInIdToken = true, hasLogout = true }: OpenIdProviderOptions,
): Provider {
  const { privateKey } = newKey()
  return new Provider(state.issuer, {
    clients: [
      {
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        redirect_uris: [redirectUri],
        grant_types: ['authorization_code'],
        response_types: ['code'],
      },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), ...KEY }] },
    cookies: { keys: ['only for tests'] },
    claims: { openid: ['sub'], email: ['email', 'email_verified'] },
    conformIdTokenClaims: !isEmailInIdToken,
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: hasLogout } },
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    ttl: { AccessToken: 60, AuthorizationCode: 60, Grant: 60, IdToken: 60, Interaction: 60, Session: 60 },
    findAccount: (_context, sub) => ({
      accountId: sub,
      claims: () => ({ sub, ...state.accounts.get(sub) }),
    }),
    loadExistingGrant: async (context) => {
      const grant = new context.oidc.provider.Grant({
        clientId: context.oidc.client!.clientId,
        accountId: context.oidc.session!.accountId!,
      })
      grant.addOIDCScope('openid email')
      await grant.save()
      return grant
    },
  })
}

async function interact(
  provider: Provider,
  { account }: OpenIdProvider,
  { hasPage = false }: OpenIdProviderOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (hasPage && request.method === 'GET') {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
    response.end(
      `<!doctype html><title>Provider</title><form method="post"><button>Continue as ${account}</button></form>`,
    )
    return
  }
  const result = account === undefined ? { error: 'access_denied' } : { login: { accountId: account, remember: false } }
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false })
}

function listen(port: number, handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<Server> {
  const server = createServer(handler)
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}
