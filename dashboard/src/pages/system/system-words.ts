import type { AuditFault, AuditRun, DeadLetterReason, DiskPart } from '@hopper/contracts'
import { keyEnd, refusalReasons } from '../../parts/states/refusal-words.ts'

const auditStates: Record<AuditRun['state'], string> = {
  running: 'Running',
  finished: 'Done',
  failed: 'Failed',
  interrupted: 'Interrupted',
}

const auditFaults: Record<AuditFault, string> = {
  store_unavailable: 'the database did not answer',
  log_unavailable: 'the log did not answer',
  out_of_memory: 'it needed too much memory; run “hopper audit” on the command line',
  internal: 'an error, which is in the log of Hopper',
}

const parts: Record<DiskPart, string> = {
  log: 'Log of all events',
  archive: 'Archive, for queries',
  tables: 'Tables, for reports',
  registry: 'Apps, members and settings',
  spool: 'Events that wait for Kafka',
  unused: 'Unused inside the files',
  set_aside: 'Damaged files that were set aside',
  other: 'Other files',
}

const letterReasons: Record<DeadLetterReason, string> = {
  undecodable: 'cannot be read',
  unknown_version: 'has an unknown version',
  invalid_envelope: 'has an invalid field',
  unknown_app: 'belongs to an app that does not exist',
  fold_failed: 'could not be counted',
}

const reasons: Readonly<Record<string, string>> = {
  new: 'new',
  historical: 'from an import',
  after_settled: 'after its day had settled',
  repeated_id: 'same id again',
  user_agent: 'says that it is a robot',
  webdriver: 'driven by a program',
  no_user_agent: 'no browser named',
}

/** The texts of the page of the system. */
export const systemWords = {
  title: 'System',
  levels: { healthy: 'Healthy.', behind: 'Behind.', attention: 'Needs attention.' },
  sentence: {
    complete: (time: string) => `All events received until ${time} are counted.`,
    unknown: 'It is not known how far counting is.',
    behind: (events: string, time: string) => `${events} events wait to be counted, the oldest for ${time}.`,
    stalled: 'Events wait, and none are being counted: look at the log of the aggregator.',
    engine: (name: string, detail: string) => `${name} is not healthy: ${detail}.`,
    noDetail: 'it does not answer',
    lost: (lane: number, n: string) => `Lane ${lane} is stopped: the log has lost ${n} messages.`,
    disk: (place: string, free: string, left: string | undefined) =>
      `The disk of ${place} is nearly full: ${free} free${left === undefined ? '' : `, full in ${left}`}.`,
    unknownRoom: 'unknown room',
    drift: (n: string) =>
      `The last audit found ${n} rows that differ: “hopper audit --repair” corrects them, and another audit proves it.`,
    letters: (n: number, text: string) =>
      n === 1 ? 'One message could not be counted: see below.' : `${text} messages could not be counted: see below.`,
    used: (used: string, free: string, forecast: string) => `${used} used, ${free} free: ${forecast}.`,
    usedOnly: (used: string) => `${used} used; how much is free is not known.`,
    noDisk: 'The disk is not measured yet.',
    fullIn: (time: string) => `full in ${time} at this rate`,
    notGrowing: 'not growing',
    tooShort: 'the forecast needs an hour of measurements',
    audit: (ago: string, differing: string, partitions: string) =>
      `Last audit ${ago} ago: ${differing} of ${partitions} partitions differ.`,
    noAudit: 'No audit has run yet.',
  },
  counted: {
    title: 'Counted and not counted',
    hint: 'Every event received in the last 30 days (UTC) has exactly one fate.',
    whose: 'Apps',
    allApps: 'All your apps',
    thisApp: 'This app',
    course: 'Counted and not counted events by the date of their receipt',
    counted: 'Counted',
    notCounted: 'Not counted',
    fates: { accepted: 'on time', late: 'late', duplicate: 'repeated', bot: 'robot', rejected: 'refused' } as Readonly<
      Record<string, string>
    >,
    reason: (reason: string) => reasons[reason] ?? reason.replaceAll('_', ' '),
    columns: { fate: 'Fate', reason: 'Reason', events: 'Events', share: 'Share' },
    empty: 'No events were received in the last 30 days.',
  },
  lag: {
    title: 'Counting',
    events: 'Waiting to be counted',
    oldest: 'Oldest of them',
    rate: 'Counted now',
    left: 'Done in about',
    nothing: 'nothing',
    ago: (time: string) => `received ${time} ago`,
    lanes: (n: number) => (n === 1 ? 'One lane' : `All ${n} lanes`),
    columns: { lane: 'Lane', received: 'Messages received', counted: 'Counted', lag: 'Behind' },
    lost: (n: string) => `stopped: ${n} messages are lost`,
  },
  refused: {
    title: 'Refused requests',
    caption: 'Refused requests by reason and origin',
    hint: 'Requests of sites and servers that were refused as a whole in the last 30 days. No more is stored of them.',
    columns: { last: 'Last', why: 'Why', app: 'App', origin: 'Origin', key: 'Key', requests: 'Requests' },
    why: refusalReasons,
    noOrigin: 'no page',
    noApp: 'none',
    key: keyEnd,
    noKey: '',
    empty: 'No request was refused.',
  },
  letters: {
    title: 'Dead letters',
    hint: 'Messages of the log that could not be counted. Replay one when its cause is gone: it is counted once.',
    empty: 'Every message of the log could be counted.',
    forAdmins: (n: string) => `${n} messages could not be counted. Owners and admins see them here.`,
    reasons: letterReasons,
    place: (lane: number, position: number) => `lane ${lane}, position ${position}`,
    noApp: 'no app',
    show: (bytes: string) => `Message, ${bytes}`,
    binary: 'Not text; as base64:',
    replay: 'Replay',
    replaying:
      'It is put into the log again, and comes back here if it still cannot be counted. Events count only once.',
    replayOne: (place: string) => `Replay the message of ${place}`,
    replayed: (n: number) => (n === 1 ? 'One message is in the log again.' : `${n} messages are in the log again.`),
    left: (why: string) => `It stays where it is: ${why}.`,
    more: 'Show more',
    appended: 'It is counted in a moment; one that still cannot be counted comes back.',
  },
  loss: {
    title: 'Lost on the way',
    caption: 'Expected and received events',
    hint: 'Trackers number their events, so a gap is an event that never arrived. The last 7 days of this app.',
    columns: { sessions: 'Sessions', expected: 'Expected', received: 'Received', lost: 'Lost' },
    by: 'By',
    keys: { day: 'Day', browser: 'Browser', country: 'Country' },
    error: (percent: string) => `± ${percent}`,
    empty: 'No numbered events in the last 7 days.',
    open: (n: number, text: string) =>
      n === 1
        ? 'One session may still go on, and is not in it.'
        : `${text} sessions may still go on, and are not in it.`,
  },
  audits: {
    title: 'Audits',
    caption: 'The last audits',
    hint: 'An audit recounts every event from the archive and the log, and compares every table with that.',
    run: 'Run an audit now',
    running: (done: number, all: number) => `Lane ${Math.min(done + 1, all)} of ${all}`,
    progress: 'Progress of the audit',
    columns: { begun: 'Begun', by: 'By', scope: 'What', took: 'Took', result: 'Result' },
    states: auditStates,
    faults: auditFaults,
    all: 'all apps',
    from: (date: string) => `from ${date}`,
    to: (date: string) => `to ${date}`,
    noDrift: (partitions: string) => `no difference in ${partitions} partitions`,
    drift: (rows: string, differing: string, partitions: string) =>
      `${rows} rows differ, in ${differing} of ${partitions} partitions`,
    repaired: (n: string) => `${n} repaired`,
    skipped: (n: number) => `${n} left out: a person was being forgotten`,
    interrupted: 'its process ended before it',
    empty: 'No audit has run yet.',
    onlyCli: 'This process cannot run one: run “hopper audit”.',
  },
  disk: {
    title: 'Disk',
    hint: 'Measured every minute. The forecast divides what is free by the growth of the last week.',
    empty: 'The disk is not measured yet.',
    data: 'Data directory',
    cassandra: 'Cassandra, all nodes',
    parts,
    used: 'Used',
    free: 'Free',
    unknown: 'unknown',
    growth: 'Growth',
    perDay: (bytes: string) => `${bytes} a day`,
    forecast: 'Forecast',
    measured: (time: string) => `measured ${time}`,
    columns: { part: 'Part', bytes: 'Bytes', share: 'Share' },
    size: (free: string, size: string) => `${free} of ${size}`,
  },
  processes: {
    title: 'Processes and their last errors',
    caption: 'The last warnings and errors of each process',
    hint: 'The processes of the last week. Texts are those of the log, without values: more is in the log itself.',
    columns: { problem: 'What', process: 'Process', level: 'Level', last: 'Last', times: 'Times' },
    levels: { warn: 'warning', error: 'error', fatal: 'ended the process' },
    states: { runs: 'runs', ended: 'stopped', silent: 'silent' },
    since: (instant: string) => `since ${instant}`,
    until: (instant: string) => `last seen ${instant}`,
    empty: 'No process has written a warning or an error.',
  },
  engines: {
    title: 'Engines and version',
    version: (version: string, mode: string) => `Hopper ${version}, ${mode}`,
    since: (instant: string) => `runs since ${instant}`,
    healthy: 'healthy',
    notHealthy: 'not healthy',
  },
} as const
