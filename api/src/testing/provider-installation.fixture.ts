import { openEmbedded } from '@hopper/storage/embedded'
import { pino } from 'pino'
import { expect } from 'vitest'
import type { OidcOptions } from '../options.ts'
import { keys, openInstallation, type Installation } from './installation.fixture.ts'
import { openIdProvider, type OpenIdProvider } from './openid-provider.fixture.ts'
import { CALLBACK } from './provider-browser.fixture.ts'

const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` })
export const admin = bearer(keys.admin)
export const otherAdmin = bearer(keys.otherAdmin)

/** A person with an account at the provider, who is a member. */
export interface Person {
  readonly id: string
  readonly email: string
  /** of the account */
  readonly subject: string
}

/** An installation with an OpenID provider. */
export interface ProviderInstallation {
  readonly hopper: Installation
  readonly provider: OpenIdProvider
  readonly oidc: OidcOptions
  /** lines of its log */
  readonly log: readonly string[]
  /** Invites a new person, who is the one to log in at the provider next. */
  newPerson(): Promise<Person>
  invite(member: { id: string; email?: string }, key?: Record<string, string>): Promise<void>
  change(id: string, patch: object): Promise<void>
  listed(id: string, key?: Record<string, string>): Promise<object | undefined>
  close(): Promise<void>
}

export async function openProviderInstallation(): Promise<ProviderInstallation> {
  const log: string[] = []
  const provider = await openIdProvider({ redirectUri: CALLBACK })
  const { issuer, clientId, clientSecret } = provider
  const oidc: OidcOptions = { issuer, clientId, clientSecret, name: 'Keycloak', origins: [] }
  const logger = pino({ level: 'trace' }, { write: (line) => void log.push(line) })
  const hopper = await openInstallation(openEmbedded, { oidc, logger })
  let people = 0
  const invite: ProviderInstallation['invite'] = async (member, key = admin) => {
    const body = { name: member.id, role: 'viewer', ...member }
    const answer = await hopper.send('POST', '/api/v1/members', body, key)
    expect(answer.status, answer.text).toBe(201)
  }
  return {
    hopper,
    provider,
    oidc,
    log,
    invite,
    async newPerson() {
      const number = people++
      const person = { id: `ann-${number}`, email: `ann-${number}@shop.example`, subject: `subject-${number}` }
      provider.accounts.set(person.subject, { email: person.email, email_verified: true })
      provider.account = person.subject
      await invite({ id: person.id, email: person.email })
      return person
    },
    async change(id, patch) {
      const answer = await hopper.send('PATCH', `/api/v1/members/${id}`, patch, admin)
      expect(answer.status, answer.text).toBe(200)
    },
    async listed(id, key = admin) {
      const { members } = (await hopper.get('/api/v1/members', key)).body as { members: { id: string }[] }
      return members.find((member) => member.id === id)
    },
    async close() {
      await hopper.close()
      await provider.stop()
    },
  }
}
