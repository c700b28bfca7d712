import type { AlertChannel, AlertCheck, AlertKind, DeliveryFault, NoticeKind } from '@hopper/contracts'

const checks: Record<AlertCheck, string> = {
  ok: 'All well',
  firing: 'Alert',
  few: 'Too few to tell',
  paused: 'Outside its hours',
  behind: 'Waiting for counting',
  failed: 'Check failed',
}

const kinds: Record<AlertKind, string> = {
  fall: 'The rate of a funnel falls',
  quiet: 'No events for a while',
  report: 'A report each week',
}

const notices: Record<NoticeKind, string> = {
  fired: 'Alert',
  recovered: 'All well again',
  report: 'Report',
  test: 'Test',
}

const channels: Record<AlertChannel, string> = { webhook: 'webhook', email: 'e-mail' }

const faults: Record<DeliveryFault, string> = {
  off: 'the operator has switched it off',
  address_not_allowed: 'the operator does not allow this address',
  private_address: 'the address is not public',
  unknown_host: 'no such host',
  connection: 'no connection',
  timeout: 'no answer in time',
  redirect: 'the address redirects',
  status: 'the receiver refused it',
  gone: 'the receiver is gone',
  mail_refused: 'the mail server refused it',
}

/** The texts of the page of alerts. */
export const alertWords = {
  title: 'Alerts',
  card: 'What Hopper watches',
  hint: 'Hopper tells you when something falls, when nothing arrives, or how the week was.',
  none: 'There is no alert yet.',
  noneHint: 'An alert watches a funnel or the events of this app, and sends a webhook or an e-mail.',
  noChannel: 'The operator of Hopper allows neither webhooks nor e-mail yet, so nothing can be sent.',
  add: 'Add an alert',
  edit: (name: string) => `Edit ${name}`,
  editShort: 'Edit',
  test: (name: string) => `Send a test of ${name}`,
  testShort: 'Send a test',
  silence: {
    name: (name: string) => `Silence ${name}`,
    short: 'Silence',
    hint: 'It is still checked, and what happens is listed, but nothing is sent.',
    hour: 'For an hour',
    day: 'For a day',
    week: 'For a week',
    date: 'To the end of',
    untilDate: 'Until then',
  },
  unsilence: (name: string) => `End the silence of ${name}`,
  unsilenceShort: 'End the silence',
  silencedUntil: (instant: string, by: string | undefined) =>
    `Silenced until ${instant}${by === undefined ? '' : ` by ${by}`}`,
  remove: (name: string) => `Delete the alert ${name}`,
  removal: 'Nobody is notified any more, and its past notices are lost. This cannot be undone.',
  checks,
  unchecked: 'Not checked yet',
  checkedAt: (instant: string) => `checked ${instant}`,
  kinds,
  notices,
  channels,
  faults,
  sentTo: (parts: readonly string[]) => `To ${parts.join(' and ')}`,
  webhookTo: (origin: string) => `a webhook at ${origin}`,
  mailTo: (n: number) => (n === 1 ? 'one e-mail address' : `${n} e-mail addresses`),
  fallRule: (funnel: string, period: string, threshold: string) =>
    `When fewer finish ${funnel} in the latest settled ${period} than before, beyond chance (P at most ${threshold})`,
  quietRule: (minutes: string) => `When there were no events for ${minutes}`,
  quietHours: (from: number, to: number) => `between ${from}:00 and ${to}:00`,
  reportRule: (hour: number) => `On Mondays at ${hour}:00`,
  minutes: (n: number) => (n % 60 === 0 ? `${n / 60} h` : `${n} min`),
  last: 'Last notices',
  columns: { at: 'When', kind: 'What', title: 'Title', sent: 'Sent' },
  silenced: 'not sent: silenced',
  delivered: (channel: string) => `${channel}: sent`,
  partly: (channel: string) => `${channel}: sent, but not to everybody`,
  pending: (channel: string, why: string) => `${channel}: will be tried again${why}`,
  failed: (channel: string, why: string) => `${channel}: not sent${why}`,
  because: (fault: string, status: number | undefined) => ` (${fault}${status === undefined ? '' : `, ${status}`})`,
  secret: 'The secret that signs the webhooks, shown only once:',
  secretLabel: 'Secret of the webhook',
  tested: (name: string) => `The test of ${name}:`,
  form: {
    kind: 'What to watch',
    name: 'Name',
    funnel: 'Funnel',
    period: 'Compare',
    periods: { day: 'the latest day with the same weekdays before', week: 'the latest week with the weeks before' },
    threshold: 'Notify if the probability that chance alone explains the fall is at most',
    sample: 'Compare only periods with at least this many starts',
    window: 'Time to go through the funnel',
    windows: [
      ['3600000', '1 hour'],
      ['86400000', '1 day'],
      ['259200000', '3 days'],
      ['604800000', '7 days'],
    ] as const,
    minutes: 'Minutes without events',
    from: 'From hour',
    to: 'To hour',
    anyHour: 'any',
    hour: 'Hour on Monday',
    webhook: 'Webhook address',
    webhookHint: (origins: readonly string[]) =>
      origins.length === 0 ? 'The operator allows no address for webhooks.' : `Allowed: ${origins.join(', ')}`,
    email: 'E-mail addresses, separated by commas',
    noEmail: 'The operator has set no mail server.',
    save: 'Save',
    cancel: 'Cancel',
  },
} as const
