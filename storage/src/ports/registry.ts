import type {
  App,
  AuditResult,
  Element,
  Funnel,
  FunnelMark,
  KeyRecord,
  LaneBackfill,
  Member,
  Organization,
} from '@hopper/contracts'

/** Records of one kind, each with an id that is unique within its owner. */
export interface Collection<T> {
  get(owner: string, id: string): Promise<T | undefined>
  /** all records of an owner, by id; of all owners when none is named */
  list(owner?: string): Promise<readonly T[]>
  /** creates or replaces */
  put(owner: string, id: string, record: T): Promise<void>
  /** Answers whether there was one. */
  remove(owner: string, id: string): Promise<boolean>
}

/** A link or a cookie that logs a member in: stored by the SHA-256 of its token. */
export interface Login {
  readonly hash: string
  readonly organization: string
  readonly member: string
  readonly kind: 'link' | 'cookie'
  readonly csrf: string
  readonly expires_at: number
}

/** How far the import of a dump is: what lets one that was interrupted go on, each message appended once. */
export interface ImportProgress {
  /** the id of the dump */
  readonly dump: string
  /** messages of the dump that are in the log */
  readonly appended: number
  /** messages after those whose append has begun */
  readonly pending: number
  /** where the lanes ended before that append */
  readonly ends: readonly number[]
  readonly finished_at?: number
}

/**
 * A loss of the log that somebody has accepted, in a cluster: messages of a lane from position `first` to before
 * `next`.
 */
export interface AcceptedLoss {
  readonly lane: number
  readonly first: number
  readonly next: number
  /** true: they were counted, but the log ended before them; false: they were deleted before they were counted */
  readonly is_cut: boolean
  readonly accepted_at: number
}

/**
 * What an installation knows about its customers. Owners: organizations belong to '' ; apps, members and keys to their
 * organization (keys are also found by hash, see `keyByHash`); funnels and elements to their app; logins, audits,
 * imports and losses to ''.
 */
export interface Registry {
  readonly organizations: Collection<Organization>
  readonly apps: Collection<App>
  readonly keys: Collection<KeyRecord>
  readonly funnels: Collection<Funnel>
  /** which stage ids a funnel has ever had, by its id; they stay when it is removed */
  readonly funnelMarks: Collection<FunnelMark>
  /** how far the tables of funnels are counted for the past, by app; see `backfillId` */
  readonly backfills: Collection<LaneBackfill>
  /** by XPath */
  readonly elements: Collection<Element>
  readonly members: Collection<Member>
  readonly logins: Collection<Login>
  /** the result of the last audit, as `last` */
  readonly audits: Collection<AuditResult>
  /** by the id of the dump */
  readonly imports: Collection<ImportProgress>
  /** by lane and first position; an installation with a data directory notes them there */
  readonly losses: Collection<AcceptedLoss>
  /** The app with this id, whichever organization has it: app ids are unique in an installation. */
  app(id: string): Promise<App | undefined>
  keyByHash(hash: string): Promise<KeyRecord | undefined>
}
