import { Type, type Static } from 'typebox'
import { App, Element, Funnel, limits, SentOrigins, SentStage, shownName } from '@hopper/contracts'
import { EMAIL_CHARS_MAX, EMAIL_PATTERN } from '../access/email.ts'
import { Code } from './second-factor.ts'

/** Request and response schemas of the administration calls. */
/** a stored name, which may be older than the rule for names */
const label = Type.String({ minLength: 1, maxLength: limits.nameCharsMax })
const sentName = shownName()
const slug = App.properties.id
const role = Type.Union([Type.Literal('owner'), Type.Literal('admin'), Type.Literal('viewer')])
const password = Type.String({
  minLength: 10,
  maxLength: 200,
  description: 'at least 10 characters, and not one of the first that anybody tries',
})

const past = Type.Object({
  state: Type.Enum(['waiting', 'running', 'done'], {
    description: 'whether events from before the stages existed are counted',
  }),
  share: Type.Number({ minimum: 0, maximum: 1 }),
})
export const FunnelView = Type.Object({ ...Funnel.properties, past })
export type FunnelView = Static<typeof FunnelView>
export const Funnels = Type.Object({ funnels: Type.Array(FunnelView) })
const sentStages = Type.Array(
  Type.Object(
    { ...SentStage.properties, id: Type.Optional(SentStage.properties.id) },
    { description: 'without an id it gets an id that was never used' },
  ),
  { minItems: 1, maxItems: limits.stagesPerFunnelMax },
)
export const SentFunnel = Type.Object({ ...Funnel.properties, name: sentName, stages: sentStages })
export type SentFunnel = Static<typeof SentFunnel>
export const FunnelPatch = Type.Object(
  { name: Type.Optional(sentName), stages: Type.Optional(sentStages) },
  { 'x-fixed': { id: 'cannot be changed' } },
)
export type FunnelPatch = Static<typeof FunnelPatch>

export const Elements = Type.Object({ elements: Type.Array(Element) })
export const ElementPatch = Type.Object({
  name: Type.Optional(sentName),
  xpath: Type.Optional(Element.properties.xpath),
  fingerprints: Element.properties.fingerprints,
  past_xpaths: Element.properties.past_xpaths,
  not_twins: Element.properties.not_twins,
})
export type ElementPatch = Static<typeof ElementPatch>
export const ElementKey = Type.Object({ xpath: Element.properties.xpath })

const KEY_NAME_CHARS_MAX = 100
const producer = 'which system uses the key: the `producer` of the events that it tracks'
const keyName = Type.Optional(Type.String({ minLength: 1, maxLength: KEY_NAME_CHARS_MAX, description: producer }))
const power = Type.Union([Type.Literal('write'), Type.Literal('read'), Type.Literal('admin')])
export const Key = Type.Object({
  id: Type.String(),
  power,
  hint: Type.String({ description: 'the last four characters of the key' }),
  created_at: Type.Integer(),
  name: keyName,
  last_used_at: Type.Optional(
    Type.Integer({ description: 'ms since the epoch, to about a minute; absent for a key that was never used' }),
  ),
  key: Type.Optional(
    Type.String({ description: 'of write keys, which are public; absent for those of earlier versions' }),
  ),
})
export type Key = Static<typeof Key>
export const Keys = Type.Object({ keys: Type.Array(Key) })
export type Keys = Static<typeof Keys>
export const NewKey = Type.Object({ power, name: Type.Optional(shownName(KEY_NAME_CHARS_MAX, producer)) })
export type NewKey = Static<typeof NewKey>
export const CreatedKey = Type.Object({
  ...Key.properties,
  key: Type.String({ description: 'of a read or admin key, shown only once: only its hash is stored' }),
})
export type CreatedKey = Static<typeof CreatedKey>

/** An app, and what it has received. */
export const AppView = Type.Object({
  ...App.properties,
  received_bytes: Type.Integer({
    description:
      'bytes of requests that were taken, of bodies after decompression, on dates of receipt (UTC) that the app ' +
      'keeps; some seconds old; imports and events written by others are not in it',
  }),
  bot_review: Type.Object({
    state: Type.Enum(['waiting', 'running', 'done'], {
      description: 'whether the present `bot_rules` are applied to the past',
    }),
    share: Type.Number({ minimum: 0, maximum: 1 }),
    problem: Type.Optional(Type.String({ description: 'why it cannot continue now' })),
  }),
})
export type AppView = Static<typeof AppView>

export const NewApp = Type.Object({
  id: slug,
  name: sentName,
  timezone: Type.Optional(App.properties.timezone),
  origins: Type.Optional(SentOrigins),
  keep_parameters: Type.Optional(App.properties.keep_parameters),
  hash_routing: App.properties.hash_routing,
  tracker: App.properties.tracker,
  retention_days: App.properties.retention_days,
  quota_bytes: App.properties.quota_bytes,
  bot_rules: App.properties.bot_rules,
})
export type NewApp = Static<typeof NewApp>
export const AppPatch = Type.Object(
  {
    name: Type.Optional(sentName),
    origins: Type.Optional(SentOrigins),
    keep_parameters: Type.Optional(App.properties.keep_parameters),
    hash_routing: App.properties.hash_routing,
    tracker: App.properties.tracker,
    retention_days: App.properties.retention_days,
    quota_bytes: App.properties.quota_bytes,
    bot_rules: App.properties.bot_rules,
  },
  {
    'x-fixed': {
      id: 'cannot be changed',
      organization: 'cannot be changed',
      received_bytes: 'is counted by Hopper',
      bot_review: 'is the progress of applying bot_rules to the past',
      kept_from: 'follows from retention_days, and never moves back: what has expired is gone',
      timezone: 'cannot be changed: the daily numbers of this app are counted in it; create another app',
    },
  },
)
export type AppPatch = Static<typeof AppPatch>
export const CreatedApp = Type.Object({ app: App, write_key: Type.String(), read_key: Type.String() })
export type CreatedApp = Static<typeof CreatedApp>

export const Organizations = Type.Object({ organizations: Type.Array(Type.Object({ id: slug, name: label })) })
export type Organizations = Static<typeof Organizations>

const email = Type.String({
  maxLength: EMAIL_CHARS_MAX,
  pattern: EMAIL_PATTERN,
  description:
    'an e-mail address of ASCII without a name; the person who has it, verified, at the OpenID provider is the member',
})
export const MemberView = Type.Object({
  id: slug,
  name: label,
  role,
  has_password: Type.Boolean(),
  second_factor: Type.Boolean(),
  email: Type.Optional(email),
  provider_linked: Type.Boolean({
    description: 'whether an account at the OpenID provider is bound to the member, by a first login',
  }),
})
export type MemberView = Static<typeof MemberView>
export const Members = Type.Object({ members: Type.Array(MemberView) })
export const NewMember = Type.Object({
  id: slug,
  name: sentName,
  role,
  password: Type.Optional(password),
  email: Type.Optional(email),
})
export type NewMember = Static<typeof NewMember>
export const CreatedMember = Type.Object({
  ...MemberView.properties,
  login_link: Type.String({ description: 'logs the member in once, within a day' }),
})
export type CreatedMember = Static<typeof CreatedMember>
export const MemberPatch = Type.Object(
  {
    name: Type.Optional(sentName),
    role: Type.Optional(role),
    password: Type.Optional(password),
    email: Type.Optional(
      Type.Union([email, Type.Null()], {
        description: 'null removes it; another address unbinds the account at the OpenID provider',
      }),
    ),
  },
  { 'x-fixed': { id: 'cannot be changed' } },
)
export type MemberPatch = Static<typeof MemberPatch>
export const LoginLink = Type.Object({ login_link: Type.String() })
export const OwnPatch = Type.Object({
  name: Type.Optional(sentName),
  password: Type.Optional(password),
  current_password: Type.Optional(Type.String({ maxLength: 200, description: 'needed to replace a password' })),
})
export type OwnPatch = Static<typeof OwnPatch>

export const Session = Type.Object({
  id: Type.String(),
  created_at: Type.Optional(Type.Integer()),
  used_at: Type.Optional(Type.Integer({ description: 'to the hour' })),
  expires_at: Type.Integer({ description: 'ends earlier after 7 days without use' }),
  current: Type.Boolean({ description: 'true for the session of this request' }),
})
export type Session = Static<typeof Session>
export const Sessions = Type.Object({ sessions: Type.Array(Session) })
export type Sessions = Static<typeof Sessions>

export const LoginBody = Type.Object({
  name: Type.Optional(
    Type.String({ minLength: 1, maxLength: limits.nameCharsMax, description: 'name or id of the member' }),
  ),
  member: Type.Optional(Type.String({ minLength: 1, maxLength: limits.nameCharsMax, description: 'the same' })),
  organization: Type.Optional(
    Type.String({ maxLength: 64, description: 'needed when two organizations have a member of that name' }),
  ),
  password: Type.String({ minLength: 1, maxLength: 200 }),
  code: Type.Optional(Code),
})
export type LoginBody = Static<typeof LoginBody>

export const LoginLinkBody = Type.Object({
  token: Type.String({ minLength: 1, maxLength: 200, description: 'the token in the address of the login link' }),
  code: Type.Optional(Code),
})
export type LoginLinkBody = Static<typeof LoginLinkBody>
