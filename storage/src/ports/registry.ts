import type {
  Alert,
  AlertState,
  Annotation,
  App,
  AuditResult,
  BotReview,
  ComputedProperty,
  DiskRecord,
  Element,
  Forget,
  ForgetPart,
  Funnel,
  FunnelMark,
  KeyRecord,
  LaneBackfill,
  Member,
  Notice,
  Organization,
  Picking,
  ProcessReport,
  ProviderLink,
  RecoveryCode,
  RefusedDay,
  Retention,
  RetentionPart,
  SecondFactor,
  SharedLink,
  SharedLinkUse,
  StoredAudit,
  Usage,
} from '@hopper/contracts'
import type { LanePositions } from '../position-range.ts'

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

/**
 * Knowledge of an alert beyond its rule: the last check, and the notices with their deliveries. One record, so that
 * a notice is written down, and its rule marked as fired, in one write before it is sent.
 */
export interface AlertRecord {
  /** of the alert */
  readonly id: string
  readonly state?: AlertState
  /** the period that was checked last, and when the rule was changed last: each pair is checked once */
  readonly decided?: string
  /** the period of the last notice: each period has one notice */
  readonly noticed?: string
  /** the newest first */
  readonly notices: readonly StoredNotice[]
}

/** The last tests of an alert: a record of its own, since a test does not wait for the process that checks the rule. */
export interface AlertTests {
  /** of the alert */
  readonly id: string
  /** the newest first */
  readonly notices: readonly Notice[]
}

/** A notice with what is sent; the text is dropped once it is delivered or given up. */
export interface StoredNotice extends Notice {
  readonly text?: string
  /** the body of the webhook, as JSON */
  readonly body?: string
}

/**
 * Exclusive work of one process at a time. A claim ends by itself, so that the work of a killed process is taken over.
 * A process that was stopped for longer than its claim may overlap with the next one.
 */
export interface Claims {
  /** Claims a name for `leaseMs`, or renews the holder's own claim. Returns whether the holder has it. */
  claim(name: string, holder: string, leaseMs: number): Promise<boolean>
  /** Ends the holder's claim; without effect if another has it. */
  release(name: string, holder: string): Promise<void>
}

/** A link or a cookie that logs a member in, stored by the SHA-256 of its token. */
export interface Login {
  readonly hash: string
  readonly organization: string
  readonly member: string
  readonly kind: 'link' | 'cookie'
  readonly csrf: string
  readonly expires_at: number
  /** ms since the epoch; missing in records of earlier versions */
  readonly created_at?: number
}

/**
 * When a key was last used: a record of its own, since every process writes it, while the key itself hardly ever
 * changes.
 */
export interface KeyUse {
  /** of the key */
  readonly hash: string
  /** ms since the epoch */
  readonly at: number
}

/** When a session was last used: a record of its own, so that writing it never brings back a session that was ended. */
export interface LoginUse {
  /** of the login */
  readonly hash: string
  /** ms since the epoch */
  readonly at: number
}

/**
 * Progress of the import of a dump or of another file. An interrupted import resumes from it and appends each message
 * once.
 */
export interface ImportProgress {
  /** id of the dump or the file */
  readonly dump: string
  /** ms since the epoch; missing in records of earlier versions */
  readonly begun_at?: number
  /** its messages that are in the log */
  readonly appended: number
  /** messages after the appended ones whose append has begun */
  readonly pending: number
  /** end of each lane before that append */
  readonly ends: readonly number[]
  /** end of each lane before the first append; missing in records of earlier versions */
  readonly first_ends?: readonly number[]
  readonly finished_at?: number
}

/**
 * Progress of reading a file that another system writes. Offsets are in bytes of its content, decompressed. A process
 * that ends while it appends finds out from `ends` and `pending` what has arrived.
 */
export interface ExternalProgress {
  /** app, device and inode of the file */
  readonly id: string
  /** where the file was found last, for people */
  readonly path: string
  /** on the disk, when it was read */
  readonly size: number
  readonly mtime_ms: number
  /** up to here everything is in the log */
  readonly offset: number
  /** hash of the bytes before `offset`, which reveals that another file is at the same path */
  readonly tail: string
  /** bytes after `offset` whose append has begun */
  readonly pending: number
  /** end of each lane before that append */
  readonly ends: readonly number[]
  /** time of receipt of what is pending, ms since the epoch */
  readonly received_at: number
  /** true when a compressed file was read to its end */
  readonly is_whole: boolean
}

/** A loss of the log that somebody has accepted, in a cluster. */
export interface AcceptedLoss extends LanePositions {
  /** true: they were counted, but the log ended before them; false: they were deleted before they were counted */
  readonly is_cut: boolean
  readonly accepted_at: number
}

/**
 * Progress of a lane beyond its committed position while some apps are deferred. All messages before `ahead` are in the
 * tables and in the archive, except those of the apps in `behind` from their positions on. Holds only while the
 * committed position of the lane is `position`: a rebuild may have counted less than that since.
 */
export interface LaneAhead {
  readonly lane: number
  readonly position: number
  readonly ahead: number
  readonly behind: Readonly<Record<string, number>>
}

/** The last state of the log that an API process saw, for one that starts while the log is unavailable. */
export interface LastSeenLog {
  /** ms since the epoch; the lanes ended at `ends` then or later */
  readonly at: number
  readonly ends: readonly number[]
  /** the instant before which everything received was counted then, ms since the epoch; null if none was known */
  readonly complete_to: number | null
}

/**
 * Records that an installation has about its customers. Owners: organizations belong to ''; apps, members, second
 * factors, provider links and keys to their organization (keys are also found by hash, see `keyByHash`); funnels,
 * elements, usages, picks, alerts, annotations, shared links and properties to their app; logins, audits, disks,
 * refusals, processes, imports, external files, losses, retentions and the records of lanes to ''.
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
  /** requests to forget a person, by app; kept after they are done, since every reader of a log needs them */
  readonly forgets: Collection<Forget>
  /** the part of each lane in a request, by app; see `forgetPartId` */
  readonly forgetParts: Collection<ForgetPart>
  /** from which date each app keeps its events, by app; read as a field of the app */
  readonly retentions: Collection<Retention>
  /** the part of each lane in removing expired data, by app and lane */
  readonly retentionParts: Collection<RetentionPart>
  /** progress of each lane in reviewing which sessions of an app are bots, by app; see `botReviewId` */
  readonly botReviews: Collection<BotReview>
  /** what each process of ingest has received of an app, by date; see `usageId` */
  readonly usages: Collection<Usage>
  /** by XPath */
  readonly elements: Collection<Element>
  /** links of the picker, by app; the API adds and removes them, ingest adds what was picked */
  readonly picks: Collection<Picking>
  readonly alerts: Collection<Alert>
  /** by the id of the alert; written by the process that has its claim */
  readonly alertRecords: Collection<AlertRecord>
  /** the last tests of an alert, by its id; written by the process that tests it */
  readonly alertTests: Collection<AlertTests>
  /** by app */
  readonly annotations: Collection<Annotation>
  /** by app; a link is also found by its id alone, see `sharedLink` */
  readonly sharedLinks: Collection<SharedLink>
  /** by the id of the link; owned by the app */
  readonly sharedLinkUses: Collection<SharedLinkUse>
  readonly claims: Claims
  /** computed properties of persons, by name */
  readonly properties: Collection<ComputedProperty>
  readonly members: Collection<Member>
  /** by member; owned by the organization */
  readonly secondFactors: Collection<SecondFactor>
  /** see `recoveryCodeId`; owned by the organization */
  readonly recoveryCodes: Collection<RecoveryCode>
  /** accounts at the OpenID provider, by member; owned by the organization */
  readonly providerLinks: Collection<ProviderLink>
  readonly logins: Collection<Login>
  /** by the hash of the login */
  readonly loginUses: Collection<LoginUse>
  /** by the hash of the key; owned by its organization */
  readonly keyUses: Collection<KeyUse>
  /** the result of the last audit by an earlier version, with the id `last`; see `auditRuns` */
  readonly audits: Collection<AuditResult>
  /** the last audits, in the order of their begin; each is written by the process that runs it */
  readonly auditRuns: Collection<StoredAudit>
  /** the disk that is used, by place */
  readonly disks: Collection<DiskRecord>
  /** requests that each process of ingest has refused on a date; see `refusedDayId` */
  readonly refusals: Collection<RefusedDay>
  /** the last errors of each process, by its id */
  readonly processes: Collection<ProcessReport>
  /** by the id of the dump or the file */
  readonly imports: Collection<ImportProgress>
  /** progress of files that other systems write, by app, device and inode */
  readonly externals: Collection<ExternalProgress>
  /** by lane and first position; an installation with a data directory records its losses in that directory */
  readonly losses: Collection<AcceptedLoss>
  /** by lane; written by the owner of a lane while it defers apps */
  readonly ahead: Collection<LaneAhead>
  /** the log as it was last seen, with the id `last` */
  readonly lastSeenLog: Collection<LastSeenLog>
  /** Finds the app with this id in any organization: app ids are unique in an installation. */
  app(id: string): Promise<App | undefined>
  sharedLink(id: string): Promise<SharedLink | undefined>
  keyByHash(hash: string): Promise<KeyRecord | undefined>
}
