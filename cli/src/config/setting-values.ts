import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { availableMemory } from '@hopper/aggregator/available-memory'
import { writeKeyPattern } from '../demo/demo-key.ts'

/** Parsers of setting texts. Each throws an Error whose message completes the sentence "… must be". */

/** Returns a parser of whole numbers between two bounds, both included. */
export function integer(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN
    if (!(value >= minimum && value <= maximum)) throw new Error(`a whole number from ${minimum} to ${maximum}`)
    return value
  }
}

/** Counting does not work with less. */
const MEMORY_MB_MIN = 256
const MB = 1_000_000

/** Refuses more memory than the machine has: the system would kill the process without a log line. */
export function memoryMb(text: string): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN
  const most = Math.floor(availableMemory() / MB)
  if (!(value === 0 || (value >= MEMORY_MB_MIN && value <= most))) {
    throw new Error(`0 or a whole number from ${MEMORY_MB_MIN} to ${most}, which is what this machine or container has`)
  }
  return value
}

/** Parses a host name or an IP address, without a port. */
export function hostName(text: string): string {
  if (!/^[A-Za-z0-9.:_-]{1,253}$/.test(text)) throw new Error('a host name or an IP address')
  return text
}

/** Parses `host:port`, or several of them separated by commas. */
export function addresses(text: string): readonly string[] {
  const found = text.split(',').map((address) => address.trim())
  if (!found.every(isAddress)) throw new Error('host:port, or several with commas in between')
  return found
}

function isAddress(address: string): boolean {
  const [, port] = /^(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]{1,253}):(\d{1,5})$/.exec(address) ?? []
  return Number(port) >= 1 && Number(port) <= 65_535
}

/** Parses the name of a Kafka topic or consumer group. */
export function kafkaName(text: string): string {
  if (!/^[A-Za-z0-9._-]{1,249}$/.test(text) || text === '.' || text === '..')
    throw new Error('letters, digits, dots, dashes and underscores, at most 249')
  return text
}

/** Parses a name that CQL accepts without quotes. */
export function keyspaceName(text: string): string {
  if (!/^[a-z][a-z0-9_]{0,47}$/.test(text))
    throw new Error('a lower-case letter, then lower-case letters, digits and underscores, at most 48')
  return text
}

export function plainName(text: string): string {
  if (!/^[A-Za-z0-9._-]{1,200}$/.test(text)) throw new Error('letters, digits, dots, dashes and underscores')
  return text
}

export function anyText(text: string): string {
  return text
}

export function writeKey(text: string): string {
  if (!writeKeyPattern.test(text))
    throw new Error('a write key: hw_ and 16 to 128 letters, digits, dashes and underscores')
  return text
}

/** A token of RFC 6750, long enough that it cannot be guessed. */
export function bearerToken(text: string): string {
  if (!/^[\w.~+/-]{16,256}=*$/.test(text))
    throw new Error('a token of 16 to 256 letters, digits and the characters - . _ ~ + /')
  return text
}

/** Parses a path; a relative one starts at the working directory. */
export function path(text: string): string {
  if (text.includes('\0') || text.trim() === '') throw new Error('a path')
  return resolve(text)
}

/** Parses an http or https origin, without path, query, fragment or user. */
export function origin(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search || url.hash || url.username) {
    throw new Error('an origin like https://hopper.example')
  }
  return url.origin
}

/** Parses several origins, separated by commas. */
export function origins(text: string): readonly string[] {
  const bad = 'origins like https://hooks.example, with commas in between'
  // a host with a wildcard would be a name that no webhook has
  if (text.includes('*')) throw new Error(bad)
  try {
    return text.split(',').map((each) => origin(each.trim()))
  } catch {
    throw new Error(bad)
  }
}

/** Parses origins whose traffic nobody else can read: those of https, and of this machine. */
export function secureOrigins(text: string): readonly string[] {
  const found = origins(text)
  if (!found.every((each) => isSecure(new URL(each))))
    throw new Error('origins of https, or of http on this machine, with commas in between')
  return found
}

/** Parses the issuer of an OpenID provider: it identifies the provider, so it stays as it was given. */
export function issuer(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash || url.username || !isSecure(url))
    throw new Error('an address like https://login.example/realms/shop; http only on this machine')
  return text
}

/** A secret and tokens are sent there. */
function isSecure({ protocol, hostname }: URL): boolean {
  const host = hostname.replace(/^\[|\]$/g, '')
  return (
    protocol === 'https:' || host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
  )
}

const SECRET_CHARS_MAX = 1_000

/** Parses an id or a secret of ASCII without control characters and without spaces around it. */
export function visibleText(text: string): string {
  if (!/^[!-~]([ -~]*[!-~])?$/.test(text) || text.length > SECRET_CHARS_MAX)
    throw new Error(`1 to ${SECRET_CHARS_MAX} printable characters of ASCII`)
  return text
}

/** Reads the secret that a file contains, without the end of its line. */
export function secretFile(text: string): string {
  try {
    return visibleText(readFileSync(text, 'utf8').replace(/\r?\n$/, ''))
  } catch {
    throw new Error('the path of a readable file that contains nothing but the secret')
  }
}

/** Parses a text that people see. */
export function label(text: string): string {
  if (!/^[^\p{C}\p{Z}]([^\p{C}]*[^\p{C}\p{Z}])?$/u.test(text) || text.length > 60)
    throw new Error('a name of 1 to 60 characters')
  return text
}

/** Parses the address of an SMTP server. A user needs a password; both are percent-encoded. */
export function smtpUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isComplete = url && /^smtps?:$/.test(url.protocol) && url.hostname !== '' && !url.search && !url.hash
  if (
    !isComplete ||
    !/^\/?$/.test(url.pathname) ||
    (url.username === '') !== (url.password === '') ||
    !isDecodable(url)
  )
    throw new Error('smtp://HOST:PORT or smtps://USER:PASSWORD@HOST:PORT, with user and password percent-encoded')
  return url.href
}

function isDecodable({ username, password }: URL): boolean {
  try {
    return decodeURIComponent(username + password) !== undefined
  } catch {
    return false
  }
}

/** Parses an e-mail address without a display name. */
export function mailAddress(text: string): string {
  if (!/^[^\s@<>",;:\\()[\]]{1,64}@[A-Za-z0-9.-]{1,189}$/.test(text))
    throw new Error('an e-mail address without a name')
  return text
}

/** Parses true, 1 or on, and false, 0 or off, in any case. */
export function booleanValue(text: string): boolean {
  if (!/^(true|false|1|0|on|off)$/i.test(text)) throw new Error('true or false')
  return /^(true|1|on)$/i.test(text)
}

/** Returns a parser that accepts exactly these values. */
export function oneOf<T extends string>(values: readonly T[]): (text: string) => T {
  return (text) => {
    const value = values.find((candidate) => candidate === text)
    if (value === undefined) throw new Error(`one of ${values.join(', ')}`)
    return value
  }
}
