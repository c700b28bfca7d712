import { Type, type Static } from 'typebox'
import { App } from '../app.ts'
import { limits } from '../limits.ts'
import { shownName } from '../texts/shown-name.ts'
import { SharedView } from './shared-view.ts'

/** a stored name, which may be older than the rule for names */
const name = Type.String({ minLength: 1, maxLength: limits.nameCharsMax })
const instant = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
/** Becomes part of a Content-Security-Policy: it must not contain a space, comma or semicolon, which separate there. */
const frameOrigin = Type.String({
  maxLength: 300,
  pattern: '^https?://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?$',
  description: 'an origin as browsers send it, such as https://wiki.example: in lower case, without a path',
})
const frameOrigins = Type.Array(frameOrigin, {
  maxItems: limits.sharedOriginsMax,
  description: 'sites that may show the view in a frame; default: none',
})

/** The body that shares a view. */
export const NewSharedLink = Type.Object({
  name: shownName(),
  view: SharedView,
  ends_at: Type.Integer({
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    description: `ms since the epoch, at most ${limits.sharedDaysMax} days ahead`,
  }),
  password: Type.Optional(
    Type.String({
      minLength: 10,
      maxLength: 200,
      description: 'asked for beside the link: at least 10 characters, and not one of the first that anybody tries',
    }),
  ),
  frame_origins: Type.Optional(frameOrigins),
})
export type NewSharedLink = Static<typeof NewSharedLink>

/** A shared link as stored: the SHA-256 of its token in hex, never the token itself. */
export const SharedLink = Type.Object({
  id: Type.String({ pattern: '^[0-9a-f]{16}$' }),
  app: App.properties.id,
  name,
  view: SharedView,
  hash: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  /** scrypt (RFC 7914), `salt:hash` in base64url */
  password: Type.Optional(Type.String({ maxLength: 200 })),
  frame_origins: Type.Optional(frameOrigins),
  /** the name of the member, or `an admin key` */
  created_by: Type.String({ maxLength: limits.nameCharsMax }),
  created_at: instant,
  ends_at: instant,
})
export type SharedLink = Static<typeof SharedLink>

/** When a shared link was last used: a record of its own, so that noting it never brings back a link that was ended. */
export interface SharedLinkUse {
  /** of the link */
  readonly id: string
  /** ms since the epoch */
  readonly at: number
}

/** A shared link as admins see it. */
export const SharedLinkView = Type.Object({
  id: Type.String(),
  name,
  view: SharedView,
  has_password: Type.Boolean(),
  frame_origins: Type.Array(Type.String()),
  created_by: Type.String(),
  created_at: instant,
  ends_at: instant,
  used_at: Type.Optional(Type.Integer({ description: 'last use, within the hour; absent if it was never used' })),
})
export type SharedLinkView = Static<typeof SharedLinkView>

export const SharedLinks = Type.Object({ links: Type.Array(SharedLinkView) })
export type SharedLinks = Static<typeof SharedLinks>

export const CreatedSharedLink = Type.Object({
  ...SharedLinkView.properties,
  url: Type.String({ description: 'shown only once: only the hash of its token is stored' }),
  frame_url: Type.Optional(Type.String({ description: 'for a frame on one of the sites; shown only once, too' })),
})
export type CreatedSharedLink = Static<typeof CreatedSharedLink>

/** The body that opens a shared link. */
export const OpenSharedLink = Type.Object({
  token: Type.String({ minLength: 1, maxLength: 200, description: 'what the address has after the #' }),
  password: Type.Optional(Type.String({ maxLength: 200 })),
  in_frame: Type.Optional(
    Type.Boolean({
      description: 'true: the session is in the answer, not in a cookie, which browsers do not keep for a frame',
    }),
  ),
})
export type OpenSharedLink = Static<typeof OpenSharedLink>

/** A shared link as its readers see it. */
export const OpenedLink = Type.Object({
  id: Type.String(),
  name,
  app: Type.Object({ id: Type.String(), name: Type.String(), timezone: Type.String() }),
  view: SharedView,
  today: Type.String({ description: 'the date of now in the time zone of the app: relative ranges end there' }),
  ends_at: instant,
  session: Type.Optional(
    Type.String({ description: 'with `in_frame`: sent as the header X-Hopper-Share by every call' }),
  ),
})
export type OpenedLink = Static<typeof OpenedLink>
