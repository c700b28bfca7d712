import { Command, InvalidArgumentError } from 'commander'
import { Presets, SingleBar } from 'cli-progress'
import { HopperError, limits } from '@hopper/contracts'
import { readConfig } from '../config/config.ts'
import { readDemoKey } from '../demo/demo-key.ts'
import { sendVisits, type Tally } from '../load/send-visits.ts'
import { Sender } from '../load/sender.ts'
import { traffic, visitsOf, type Plan } from '../load/traffic.ts'
import { wholeNumber } from './option-values.ts'

const CONNECTIONS = 24
const DAYS_MAX = 1_100
const VISITORS_MAX = 10_000_000

interface LoadOptions {
  readonly demo?: true
  readonly url?: string
  readonly key?: string
  readonly data?: string
  readonly days: number
  readonly visitors: number
  readonly seed: string
  readonly until?: number
}

/** `hopper load --demo`: a realistic year of the demo shop, sent through the real ingest. */
export function loadCommand(): Command {
  return new Command('load')
    .description('sends generated traffic of the demo shop to a running Hopper')
    .option('--demo', 'traffic of the demo shop (required: the only kind so far)')
    .option('--url <url>', 'address of Hopper (default: the one on which "hopper start" listens)')
    .option('--key <hw_...>', 'write key (default: the one of the demo app, read from the data directory)')
    .option('--data <dir>', 'data directory of the running Hopper, to read the key from')
    .option('--days <n>', 'length of the traffic in days', wholeNumber(1, DAYS_MAX), 365)
    .option('--visitors <n>', 'approximate number of devices', wholeNumber(1, VISITORS_MAX), 12_000)
    .option('--until <time>', 'end of the traffic, as ISO 8601 (default: now)', instant)
    .option('--seed <text>', 'seed of the random traffic; the same seed gives the same traffic', 'hopper')
    .action(load)
}

async function load(options: LoadOptions): Promise<void> {
  if (!options.demo) throw new HopperError('HOP_CONFIG', 'Give --demo: there is no other kind of traffic yet.')
  const config = readConfig(['host', 'port', 'data'], options.data === undefined ? {} : { data: options.data })
  const url = originOf(options.url ?? `http://${config.host}:${config.port}`)
  const key = options.key ?? (await readDemoKey(config.data))
  await expectHopper(url)
  const plan = {
    seed: options.seed,
    untilMs: options.until ?? Date.now(),
    days: options.days,
    visitors: options.visitors,
    origin: url,
  }
  const sender = new Sender(url, key, CONNECTIONS)
  const beganMs = performance.now()
  try {
    const tally = await withBar(plan, (progress) => sendVisits(traffic(plan), sender, CONNECTIONS, progress))
    summarize(tally, (performance.now() - beganMs) / 1_000)
  } finally {
    sender.close()
  }
}

/** Shows a progress bar over the visits, whose number is known beforehand. Only on a terminal. */
async function withBar(plan: Plan, work: (progress: (tally: Tally) => void) => Promise<Tally>): Promise<Tally> {
  const bar = new SingleBar(
    {
      format: '{bar} {percentage} %  {events} events  {rate} events/s  {eta_formatted} left',
      hideCursor: true,
      fps: 5,
    },
    Presets.shades_classic,
  )
  const beganMs = performance.now()
  bar.start(
    visitsOf(plan).reduce((sum, { visits }) => sum + visits, 0),
    0,
    { events: 0, rate: 0 },
  )
  try {
    return await work(({ visits, sent }) =>
      bar.update(visits, { events: count(sent), rate: count((sent * 1_000) / (performance.now() - beganMs)) }),
    )
  } finally {
    bar.stop()
  }
}

function summarize({ visits, sent, accepted, rejected }: Tally, seconds: number): void {
  console.log(
    `${count(visits)} visits, ${count(sent)} events sent, ${count(accepted)} accepted, ` +
      `${count(rejected)} rejected, ${seconds.toFixed(1)} s, ${count(sent / seconds)} events/s`,
  )
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en')
}

function originOf(text: string): string {
  if (!URL.canParse(text) || !text.startsWith('http://'))
    throw new HopperError(
      'HOP_CONFIG',
      `--url must be an address like http://127.0.0.1:8080, not "${text.slice(0, 100)}".`,
    )
  return new URL(text).origin
}

async function expectHopper(url: string): Promise<void> {
  const healthy = await fetch(new URL('/healthcheck', url)).then(
    (answer) => answer.ok,
    () => false,
  )
  if (!healthy)
    throw new HopperError(
      'HOP_CONFIG',
      `Hopper does not respond at ${url}; start it with "npm start", or give another --url.`,
    )
}

function instant(text: string): number {
  const ms = Date.parse(text)
  if (!(ms >= limits.timestampMsMin && ms <= Date.now()))
    throw new InvalidArgumentError('It must be a time of the past like 2026-01-31T12:00:00Z.')
  return ms
}
