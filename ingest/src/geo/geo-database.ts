import { readFile, stat } from 'node:fs/promises'
import { isIP } from 'node:net'
import { limits, type Context } from '@hopper/contracts'
import { LRUCache } from 'lru-cache'
import { Reader } from 'mmdb-lib'

/** Country and region of an address, as far as the database has them. */
export type Place = Pick<Context, 'country' | 'region'>

/** Log to which a database reports that a new file cannot be used. */
export interface GeoLogger {
  info(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** The parts of a record that are read; other makers write `country_code` or a plain code. */
interface PlaceRecord {
  readonly country?: { readonly iso_code?: unknown } | string
  readonly country_code?: unknown
  readonly subdivisions?: readonly { readonly iso_code?: unknown; readonly names?: { readonly en?: unknown } }[]
}

/** A file as it was read: a replaced file differs in one of these. */
type Version = `${number}/${number}/${number}`

const RECHECK_MS = 10_000
const FILE_BYTES_MAX = 1_000_000_000
/** decoded records, by their place in the file and not by address */
const RECORDS_MAX = 20_000
const nowhere: Place = {}

/**
 * Finds the country and the region of an address in a file of the MaxMind DB format. The address is used for the
 * look-up only. The file is watched, and read again when it was replaced; one that cannot be used leaves the last one
 * in use.
 */
export class GeoDatabase implements AsyncDisposable {
  readonly #path: string
  readonly #logger: GeoLogger
  #reader: Reader<never>
  /** of the last file that was tried */
  #version: Version
  #timer: NodeJS.Timeout | undefined
  #check: Promise<void> = Promise.resolve()

  private constructor(path: string, logger: GeoLogger, reader: Reader<never>, version: Version) {
    this.#path = path
    this.#logger = logger
    this.#reader = reader
    this.#version = version
  }

  /** @throws Error whose message says why the file cannot be used */
  static async open(path: string, logger: GeoLogger, recheckMs = RECHECK_MS): Promise<GeoDatabase> {
    const version = await versionOf(path)
    const database = new GeoDatabase(path, logger, await readDatabase(path), version)
    const check = (): void => void (database.#check = database.#reload())
    database.#timer = setInterval(check, recheckMs).unref()
    return database
  }

  /** Returns country and region of an address; empty if the database does not have it. */
  placeOf(address: string | undefined): Place {
    const plain = plainAddress(address)
    if (plain === undefined) return nowhere
    try {
      const record = this.#reader.get(plain) as PlaceRecord | null
      return record === null ? nowhere : placeOfRecord(record)
    } catch {
      // a damaged record of a file that is fine otherwise: no visitor is refused for it
      return nowhere
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    await this.#check
  }

  async #reload(): Promise<void> {
    try {
      const version = await versionOf(this.#path)
      if (version === this.#version) return
      this.#version = version
      this.#reader = await readDatabase(this.#path)
      this.#logger.info({ file: this.#path }, 'the geo database was read again')
    } catch (error) {
      this.#logger.error(
        { file: this.#path, reason: (error as Error).message },
        'the geo database has changed and cannot be used: the one that was read before stays in use',
      )
    }
  }
}

async function versionOf(path: string): Promise<Version> {
  const { ino, size, mtimeMs } = await stat(path)
  return `${ino}/${size}/${mtimeMs}`
}

async function readDatabase(path: string): Promise<Reader<never>> {
  const { size } = await stat(path)
  if (size > FILE_BYTES_MAX) throw new Error(`it has ${size} bytes, more than ${FILE_BYTES_MAX}`)
  const bytes = await readFile(path)
  const reader = newReader(bytes)
  const { databaseType } = reader.metadata
  if (
    !/country|city|location|enterprise/i.test(databaseType) &&
    /asn|isp|domain|anonymous|connection/i.test(databaseType)
  )
    throw new Error(`it is of the type ${databaseType.slice(0, 100)}, which has no countries`)
  return reader
}

function newReader(bytes: Buffer): Reader<never> {
  try {
    const reader = new Reader<never>(bytes, { cache: new LRUCache<string | number, object>({ max: RECORDS_MAX }) })
    // a file that was cut off has its metadata missing, or a tree without data
    reader.get('8.8.8.8')
    return reader
  } catch (cause) {
    throw new Error(`it is not a file of the MaxMind DB format (${(cause as Error).message})`, { cause })
  }
}

/** Returns an address without its zone; IPv4 in the place of IPv6 that maps it. */
function plainAddress(address: string | undefined): string | undefined {
  const plain = address?.split('%', 1)[0]!.replace(/^::ffff:(?=\d+\.)/i, '')
  return plain === undefined || isIP(plain) === 0 ? undefined : plain
}

function placeOfRecord({ country, country_code, subdivisions }: PlaceRecord): Place {
  const code = countryCodeOf(typeof country === 'object' ? country.iso_code : (country_code ?? country))
  if (code === undefined) return nowhere
  const [first] = subdivisions ?? []
  const subdivision =
    typeof first?.iso_code === 'string' && /^[A-Za-z0-9]{1,3}$/.test(first.iso_code)
      ? `${code}-${first.iso_code.toUpperCase()}`
      : first?.names?.en
  const region =
    typeof subdivision === 'string' && subdivision !== '' ? subdivision.slice(0, limits.regionCharsMax) : undefined
  return { country: code, ...(region !== undefined && { region: region.toWellFormed() }) }
}

/** Returns an ISO 3166-1 code of two letters, in upper case; undefined for anything else. */
export function countryCodeOf(value: unknown): string | undefined {
  return typeof value === 'string' && /^[A-Za-z]{2}$/.test(value) ? value.toUpperCase() : undefined
}
