import type {
  App,
  AuditResult,
  Element,
  Forget,
  ForgetPart,
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
  /** all records of an owner, ordered by id; of all owners if none is given */
  list(owner?: string): Promise<readonly T[]>
  /** creates or replaces the record */
  put(owner: string, id: string, record: T): Promise<void>
  /** Returns whether the record existed. */
  remove(owner: string, id: string): Promise<boolean>
}

/** A link or a cookie that logs a member in, stored by the SHA-256 of its token. */
export interface Login {
  readonly hash: string
  readonly organization: string
  readonly member: string
  readonly kind: 'link' | 'cookie'
  readonly csrf: string
  readonly expires_at: number
}

/** Progress of the import of a dump. An interrupted import resumes from it and appends each message once. */
export interface ImportProgress {
  /** id of the dump */
  readonly dump: string
  /** messages of the dump that are in the log */
  readonly appended: number
  /** messages after the appended ones whose append has begun */
  readonly pending: number
  /** end of each lane before that append */
  readonly ends: readonly number[]
  readonly finished_at?: number
}

/**
 * A loss of the log that somebody has accepted, in a cluster: messages of a lane from position `first` up to, but not
 * including, `next`.
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
 * Records that an installation has about its customers. Owners: organizations belong to ''; apps, members and keys to
 * their organization (keys are also found by hash, see `keyByHash`); funnels and elements to their app; logins, audits,
 * imports and losses to ''.
 */
export interface Registry {
  readonly organizations: Collection<Organization>
  readonly apps: Collection<App>
  readonly keys: Collection<KeyRecord>
  readonly funnels: Collection<Funnel>
  /** all stage ids that a funnel has ever had, by funnel id; they remain after the funnel is removed */
  readonly funnelMarks: Collection<FunnelMark>
  /** progress of counting the tables of funnels for the past, by app; see `backfillId` */
  readonly backfills: Collection<LaneBackfill>
  /** requests to forget a person, by app; they outlive their work, since whoever reads a log must know of them */
  readonly forgets: Collection<Forget>
  /** the part of each lane in a request, by app; see `forgetPartId` */
  readonly forgetParts: Collection<ForgetPart>
  /** by XPath */
  readonly elements: Collection<Element>
  readonly members: Collection<Member>
  readonly logins: Collection<Login>
  /** the result of the last audit, with the id `last` */
  readonly audits: Collection<AuditResult>
  /** by the id of the dump */
  readonly imports: Collection<ImportProgress>
  /** by lane and first position; an installation with a data directory records its losses in that directory */
  readonly losses: Collection<AcceptedLoss>
  /** Finds the app with this id in any organization: app ids are unique in an installation. */
  app(id: string): Promise<App | undefined>
  keyByHash(hash: string): Promise<KeyRecord | undefined>
}
