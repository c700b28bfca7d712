import { hash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { HopperError, trackerVariant, type TrackedApp } from '@hopper/contracts'
import { etagOf } from '../http/etag.ts'

/** All builds together; far more than all options give. */
const BYTES_MAX = 32_000_000
const FILE_NAME = /^(variants\/)?[\w.+-]{1,200}\.js$/

export type Encoding = 'br' | 'gzip'
const compress: Readonly<Record<Encoding, (script: Buffer) => Promise<Buffer>>> = {
  br: (script) =>
    promisify(brotliCompress)(script, { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } }),
  gzip: (script) => promisify(gzip)(script, { level: constants.Z_BEST_COMPRESSION }),
}

/** One build of the tracker. */
export class Script {
  readonly bytes: Buffer
  readonly etag: string
  /** part of the address under which the content never changes */
  readonly hash: string
  /** subresource integrity (W3C): sha384- and the hash of the content in base64 */
  readonly integrity: string
  readonly #encoded = new Map<Encoding, Promise<Buffer>>()

  constructor(bytes: Buffer) {
    this.bytes = bytes
    this.etag = etagOf(bytes)
    this.hash = hash('sha256', bytes, 'hex').slice(0, 16)
    this.integrity = `sha384-${hash('sha384', bytes, 'base64')}`
  }

  /** Returns the script compressed; it is compressed once, at the first request. */
  encoded(encoding: Encoding): Promise<Buffer> {
    let encoded = this.#encoded.get(encoding)
    if (!encoded) this.#encoded.set(encoding, (encoded = compress[encoding](this.bytes)))
    return encoded
  }
}

/**
 * The builds of the tracker, one for each set of options that differs in code. They are read at the start and kept by
 * content: option sets with the same code share a build.
 */
export class TrackerScripts {
  /** each once */
  readonly all: readonly Script[]
  /** the script for picking elements; none beside a tracker that somebody else has built */
  readonly picker: Script | undefined
  readonly #byVariant: ReadonlyMap<string, Script>

  private constructor(byVariant: ReadonlyMap<string, Script>, picker: Script | undefined) {
    this.#byVariant = byVariant
    this.picker = picker
    this.all = [...new Set(byVariant.values())]
  }

  /**
   * Reads the build without options, and those that the index beside it, `variants.json`, names by their options.
   * @throws HopperError HOP_CONFIG when one of them cannot be read
   */
  static async open(file: string): Promise<TrackerScripts> {
    const dir = dirname(file)
    const indexFile = join(dir, 'variants.json')
    const index = existsSync(indexFile) ? parseIndex(await read(indexFile)) : {}
    const byFile = new Map<string, Script>()
    const byContent = new Map<string, Script>()
    let bytes = 0
    const scriptIn = async (path: string): Promise<Script> => {
      const known = byFile.get(path)
      if (known) return known
      const script = new Script(await read(path))
      const shared = byContent.get(script.integrity) ?? script
      if (shared === script) bytes += script.bytes.length
      if (bytes > BYTES_MAX) throw new HopperError('HOP_CONFIG', `The builds of the tracker exceed ${BYTES_MAX} bytes.`)
      byContent.set(shared.integrity, shared)
      byFile.set(path, shared)
      return shared
    }
    const byVariant = new Map([['default', await scriptIn(file)]])
    for (const [variant, name] of Object.entries(index)) byVariant.set(variant, await scriptIn(pathOf(dir, name)))
    const pickerFile = join(dir, 'picker.js')
    return new TrackerScripts(byVariant, existsSync(pickerFile) ? new Script(await read(pickerFile)) : undefined)
  }

  /** the build without options */
  get default(): Script {
    return this.#byVariant.get('default')!
  }

  /**
   * Returns the build for an app. There is no substitute for one that is missing: another might not wait for consent.
   * @throws HopperError HOP_CONFIG
   */
  of(app: TrackedApp): Script {
    const variant = trackerVariant(app)
    const script = this.#byVariant.get(variant)
    if (!script) throw new HopperError('HOP_CONFIG', `The tracker is not built with the options ${variant}; build it.`)
    return script
  }
}

function pathOf(dir: string, name: string): string {
  const beside = join(dir, name)
  return name.includes('/') || existsSync(beside) ? beside : join(dir, 'variants', name)
}

function parseIndex(text: Buffer): Readonly<Record<string, string>> {
  try {
    const index: unknown = JSON.parse(text.toString())
    if (typeof index !== 'object' || index === null) throw new TypeError('it is not an object')
    for (const [variant, name] of Object.entries(index as Record<string, unknown>))
      if (typeof name !== 'string' || !FILE_NAME.test(name)) throw new TypeError(`"${variant}" names no script`)
    return index as Readonly<Record<string, string>>
  } catch (cause) {
    throw new HopperError('HOP_CONFIG', `The index of the tracker cannot be used: ${(cause as Error).message}.`, {
      cause,
    })
  }
}

async function read(file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (cause) {
    throw new HopperError('HOP_CONFIG', `The tracker ${file} cannot be read (${(cause as Error).message}); build it.`, {
      cause,
    })
  }
}
