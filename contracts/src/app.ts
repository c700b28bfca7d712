import { Type, type Static } from 'typebox'
import { BotRules } from './bots/bot-rules.ts'
import { limits } from './limits.ts'
import { shownName } from './texts/shown-name.ts'
import { TrackerOptions } from './tracker-options.ts'

const slug = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$',
  description: 'letters, digits, _ . - ; at most 64',
})
/** the rule for stored names; names in requests follow `shownName`, which is stricter */
const label = Type.String({ minLength: 1, maxLength: limits.nameCharsMax })
const originCharsMax = 300
/**
 * In the form of the header `Origin` (RFC 6454): a text in any other form would never equal the header, so that every
 * browser would be refused.
 */
const origin = Type.String({
  maxLength: originCharsMax,
  pattern: '^[a-z][a-z0-9+.-]*://[^/?#@\\\\\\sA-Z]+$',
  description: 'an origin as browsers send it, such as https://shop.example: in lower case, without a path',
})
const xpath = Type.String({ minLength: 1, maxLength: limits.xpathCharsMax })

/**
 * A stage of a funnel, entered by a URL change (`url`: a pattern where `*` matches any run of characters) or by a click
 * (`click`: a CSS selector).
 */
export const Stage = Type.Object({
  id: Type.Integer({ minimum: 0, maximum: 1_000_000 }),
  name: label,
  url: Type.Optional(Type.String({ minLength: 1, maxLength: limits.urlCharsMax })),
  click: Type.Optional(Type.String({ minLength: 1, maxLength: limits.xpathCharsMax })),
  number: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 1_000_000,
      description:
        'the number of the stage in events and tables, if that is not its id: assigned when its condition changes',
    }),
  ),
})
export type Stage = Static<typeof Stage>

/**
 * Returns the number by which events and tables refer to a stage. A number is bound to one condition permanently, so a
 * stage whose condition changes gets a new number.
 */
export function stageNumber({ id, number }: Pick<Stage, 'id' | 'number'>): number {
  return number ?? id
}

export const Funnel = Type.Object({
  id: slug,
  name: label,
  stages: Type.Array(Stage, { minItems: 1, maxItems: limits.stagesPerFunnelMax }),
})
export type Funnel = Static<typeof Funnel>

/**
 * The highest stage id or number that a funnel ever had, kept even after the stage is removed: the number of a removed
 * stage must never be reused.
 */
export interface FunnelMark {
  readonly id: string
  readonly highest: number
  /**
   * time of creation (ms since the epoch), which orders the funnels of an app; undefined for funnels of a provision
   * file and of earlier versions
   */
  readonly created_at?: number | undefined
}

/** An interesting element of a page. */
export const Element = Type.Object({
  name: label,
  xpath,
  fingerprints: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: limits.fingerprintCharsMax }), {
      maxItems: limits.fingerprintsPerElementMax,
      description: 'CSS selectors; the first that finds something on a page decides, and the XPath if none does',
    }),
  ),
  past_xpaths: Type.Optional(
    Type.Array(xpath, {
      maxItems: limits.pastXPathsPerElementMax,
      description: 'XPaths that the element had: what was counted under them is part of its reports',
    }),
  ),
  not_twins: Type.Optional(
    Type.Array(xpath, {
      maxItems: limits.pastXPathsPerElementMax,
      description: 'targets of clicks that are another element: they are not proposed again as twins of this one',
    }),
  ),
})
export type Element = Static<typeof Element>

/** Stages and elements in requests. Stored ones may have names that are older than the rule for names. */
export const SentStage = Type.Object({ ...Stage.properties, name: shownName() })
export const SentElement = Type.Object({ ...Element.properties, name: shownName() })

/** Retention of the events of an app. */
export const RetentionDays = Type.Union([Type.Integer({ minimum: 1, maximum: limits.retentionDaysMax }), Type.Null()], {
  description: 'number of whole local dates before today whose events are kept; null: forever',
})

/** The limit of the data that an app may send. */
export const QuotaBytes = Type.Union([Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }), Type.Null()], {
  description:
    'bytes of requests that are taken: of bodies after decompression, received on dates that the app keeps; ' +
    'further ones are answered HOP_QUOTA; null: no bound',
})

/** The origins of an app as they are set; stored ones may be older than the check. */
export const SentOrigins = Type.Array(origin, { maxItems: 100 })

/** One tracked site or product. */
export const App = Type.Object({
  id: slug,
  organization: slug,
  name: label,
  /** IANA name; dates of this app are local dates of this zone */
  timezone: Type.String({ minLength: 1, maxLength: 64 }),
  /** origins that may send events from a browser; empty means any */
  origins: Type.Array(Type.String({ maxLength: originCharsMax }), { maxItems: 100 }),
  /** URL parameters that stay part of a page's address */
  keep_parameters: Type.Array(Type.String({ minLength: 1, maxLength: 100 }), { maxItems: limits.keepParametersMax }),
  /** true if a fragment like `#/cart` names a page */
  hash_routing: Type.Optional(Type.Boolean()),
  retention_days: Type.Optional(RetentionDays),
  quota_bytes: Type.Optional(QuotaBytes),
  /** set by Hopper; see `Retention` */
  kept_from: Type.Optional(
    Type.String({
      description: 'local date from which events are kept: everything older has expired; missing when nothing has',
    }),
  ),
  tracker: Type.Optional(TrackerOptions),
  bot_rules: Type.Optional(BotRules),
})
export type App = Static<typeof App>

export const Organization = Type.Object({ id: slug, name: label })
export type Organization = Static<typeof Organization>

/**
 * Permission of a key: to write events of one app, to read one app, or to administer one organization. The text of
 * the key begins with hw_, hr_ or ha_.
 */
export type KeyScope = 'write' | 'read' | 'admin'
export const keyPrefixes = { write: 'hw_', read: 'hr_', admin: 'ha_' } as const satisfies Record<KeyScope, string>

/**
 * A key as stored: the SHA-256 of its text in hex. The text itself is stored of write keys alone: they are in the pages
 * of sites, for everybody to read. Admin keys have no `app`.
 */
export interface KeyRecord {
  readonly hash: string
  readonly power: KeyScope
  readonly organization: string
  readonly app?: string
  readonly created_at: number
  /** the last four characters, so that a person can tell keys apart */
  readonly hint: string
  /** says which system uses the key: the `producer` of the events that it tracks */
  readonly name?: string
  /** the text of a write key; absent in records of earlier versions */
  readonly text?: string
}

export type Role = 'owner' | 'admin' | 'viewer'

/** A person who may log in to the dashboard. */
export interface Member {
  readonly id: string
  readonly organization: string
  readonly name: string
  readonly role: Role
  /** scrypt (RFC 7914), `salt:hash` in base64url; absent until the member sets one */
  readonly password?: string
  /** set by an admin, in lower case: a person with this address at the OpenID provider logs in as this member */
  readonly email?: string
}

/**
 * Account at the OpenID provider by which a member logs in, bound at the first such login. It counts only as long as
 * the member has the same e-mail address: when an admin sets another one, another account may be bound.
 */
export interface ProviderLink {
  readonly member: string
  readonly organization: string
  readonly issuer: string
  /** of the account at the issuer (`sub`): never given to somebody else, unlike an e-mail address */
  readonly subject: string
  /** of the member, when the account was bound */
  readonly email: string
  /** ms since the epoch */
  readonly linked_at: number
}

/**
 * Second factor of a member: codes by time (RFC 6238). Its secret is not in here but derived from `id`, so that nobody
 * who reads records or a dump of them can compute codes.
 */
export interface SecondFactor {
  readonly member: string
  /** random; another one for each secret */
  readonly id: string
  /** ms since the epoch; missing until the member has sent a first code, and not asked for until then */
  readonly confirmed_at?: number
  /** the latest step of time whose code was used: a code works once */
  readonly used_step?: number
}

/** A code that replaces the second factor once, stored as its SHA-256. */
export interface RecoveryCode {
  readonly member: string
  readonly hash: string
}

const key = (prefix: string): ReturnType<typeof Type.String> =>
  Type.String({ pattern: `^${prefix}[A-Za-z0-9_-]{16,128}$` })

const provisionedFunnel = Type.Object({
  ...Funnel.properties,
  name: shownName(),
  stages: Type.Array(SentStage, { minItems: 1, maxItems: limits.stagesPerFunnelMax }),
})

/** The provision file: each start creates or updates what the file names and touches nothing else. */
export const Provision = Type.Object({
  organizations: Type.Array(
    Type.Object({
      id: slug,
      name: shownName(),
      admin_key: Type.Optional(key('ha_')),
      apps: Type.Optional(
        Type.Array(
          Type.Object({
            id: slug,
            name: shownName(),
            timezone: Type.Optional(Type.String({ maxLength: 64 })),
            write_key: Type.Optional(key('hw_')),
            read_key: Type.Optional(key('hr_')),
            origins: Type.Optional(SentOrigins),
            keep_parameters: Type.Optional(App.properties.keep_parameters),
            hash_routing: App.properties.hash_routing,
            retention_days: App.properties.retention_days,
            quota_bytes: App.properties.quota_bytes,
            tracker: App.properties.tracker,
            bot_rules: App.properties.bot_rules,
            funnels: Type.Optional(Type.Array(provisionedFunnel, { maxItems: limits.funnelsPerAppMax })),
            elements: Type.Optional(Type.Array(SentElement, { maxItems: limits.elementsPerAppMax })),
          }),
        ),
      ),
    }),
  ),
})
export type Provision = Static<typeof Provision>

/**
 * A stage with an expression that tests whether a page enters it, see `trackedPattern`; one that nothing matches if
 * none does.
 */
export type TrackedStage = Stage & { test: string }

/** The response of `GET /v1/config`: only what the tracker needs. */
export interface TrackerConfig {
  funnels: { id: string; stages: TrackedStage[] }[]
  /** `css`: a selector that accepts what the XPath finds; absent if CSS cannot express it */
  elements: { xpath: string; css?: string }[]
  /** expression for what distinguishes the pages of the app, see `trackedPage` */
  page: string
  /** parameters that are part of a page's address; absent when there are none */
  keep_parameters?: string[]
  /** true if a fragment like `#/cart` names a page; absent otherwise */
  hash_routing?: true
  /** the options that are on; absent when none is */
  tracker?: TrackerOptions
  /** with `?pick=TOKEN` only: true if the token of the picker is valid */
  pick?: boolean
}
