import { resolve } from 'node:path'
import { HopperError } from '@hopper/contracts'

/** One setting of `hopper start`: a flag, an environment variable, a default, and one line of help. The flag wins over the variable. */
export interface Setting<T> {
  readonly flag: string
  readonly variable: string
  /** as it would be typed; missing when there is none */
  readonly default?: string
  readonly help: string
  /** Turns the text into the value, or throws an Error that ends the sentence "… must be". */
  read(text: string): T
}

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

/** Every setting there is; `docs/operating.md` lists the same, checked by a test. */
export const settings = {
  port: { flag: '--port', variable: 'HOPPER_PORT', default: '8080', help: 'the port to listen on; 0 takes a free one', read: integer(0, 65_535) },
  host: { flag: '--host', variable: 'HOPPER_HOST', default: '127.0.0.1', help: 'the address to listen on; 0.0.0.0 for every one', read: hostName },
  data: { flag: '--data', variable: 'HOPPER_DATA', default: './data', help: 'the directory that holds everything; made when missing', read: path },
  provision: { flag: '--provision', variable: 'HOPPER_PROVISION', help: 'a JSON file of organizations, apps, keys and funnels, applied at each start', read: path },
  lanes: { flag: '--lanes', variable: 'HOPPER_LANES', default: '8', help: 'ordered sub-streams of the log; fixed when the data directory is made', read: integer(1, 1_024) },
  publicUrl: { flag: '--public-url', variable: 'HOPPER_PUBLIC_URL', help: 'the address that browsers use, when a proxy stands in between', read: publicUrl },
  trustProxy: { flag: '--trust-proxy', variable: 'HOPPER_TRUST_PROXY', default: 'false', help: 'true: believe X-Forwarded-For and -Proto of the proxy in front', read: truth },
  rate: { flag: '--rate', variable: 'HOPPER_RATE', default: '20000', help: 'requests a second that one key may send to ingest; twice as many at once', read: integer(1, 1_000_000) },
  demo: { flag: '--demo', variable: 'HOPPER_DEMO', default: 'true', help: 'false: no demo shop and no demo app', read: truth },
  logLevel: { flag: '--log-level', variable: 'HOPPER_LOG_LEVEL', default: 'info', help: `what is logged: ${logLevels.join(', ')}`, read: oneOf(logLevels) },
  unsafeNoWatermark: {
    flag: '--unsafe-no-watermark', variable: 'HOPPER_UNSAFE_NO_WATERMARK', default: '0',
    help: 'only for the control of the fault test: 1 counts messages that are delivered again twice', read: truth,
  },
} as const satisfies Record<string, Setting<unknown>>

type Settings = typeof settings
export type SettingName = keyof Settings
type Value<S> = S extends { default: string; read(text: string): infer T } ? T : S extends { read(text: string): infer T } ? T | undefined : never

/** The settings of one process, read once, checked, and handed down. */
export type Config = { readonly [N in SettingName]: Value<Settings[N]> }

/** Reads every setting from the flags, then the environment, then the defaults. Throws one HOP_CONFIG error that names every bad one. */
export function readConfig(flags: Partial<Record<SettingName, string>>, environment: NodeJS.ProcessEnv = process.env): Config {
  const bad: { name: string; message: string }[] = []
  const read = (name: SettingName): unknown => {
    const setting: Setting<unknown> = settings[name]
    const [source, text] = flags[name] !== undefined ? [setting.flag, flags[name]] : [setting.variable, environment[setting.variable] || setting.default]
    if (text === undefined) return undefined
    try {
      return setting.read(text)
    } catch (error) {
      bad.push({ name: source, message: `${source} must be ${(error as Error).message}, not "${text.slice(0, 100)}"` })
      return undefined
    }
  }
  const names = Object.keys(settings) as SettingName[]
  const config = Object.fromEntries(names.map((name) => [name, read(name)]))
  if (bad.length > 0) throw new HopperError('HOP_CONFIG', `${bad.map(({ message }) => message).join('; ')}.`, { details: bad })
  return Object.freeze(config) as Config
}

/** Variables that look like a setting of Hopper and are none: a typing error would otherwise go unseen. */
export function unknownVariables(environment: NodeJS.ProcessEnv = process.env): string[] {
  const known = new Set<string>([...Object.values(settings).map(({ variable }) => variable), 'HOPPER_REQUIRE_ENGINES'])
  return Object.keys(environment).filter((name) => name.startsWith('HOPPER_') && !known.has(name))
}

function integer(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN
    if (!(value >= minimum && value <= maximum)) throw new Error(`a whole number from ${minimum} to ${maximum}`)
    return value
  }
}

function hostName(text: string): string {
  if (!/^[A-Za-z0-9.:_-]{1,253}$/.test(text)) throw new Error('a host name or an IP address')
  return text
}

function path(text: string): string {
  if (text.includes('\0') || text.trim() === '') throw new Error('a path')
  return resolve(text)
}

function publicUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search || url.hash || url.username) {
    throw new Error('an origin like https://hopper.example')
  }
  return url.origin
}

function truth(text: string): boolean {
  if (!/^(true|false|1|0|on|off)$/i.test(text)) throw new Error('true or false')
  return /^(true|1|on)$/i.test(text)
}

function oneOf<T extends string>(values: readonly T[]): (text: string) => T {
  return (text) => {
    const value = values.find((candidate) => candidate === text)
    if (value === undefined) throw new Error(`one of ${values.join(', ')}`)
    return value
  }
}
