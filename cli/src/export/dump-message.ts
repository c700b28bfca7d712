import { isUtf8 } from 'node:buffer'
import { HopperError } from '@hopper/contracts'
import { LINE_BYTES_MAX, type DumpedMessage } from './dump-lines.ts'

/** Control characters take six characters in JSON; base64 takes four for three bytes. */
const TEXT_GROWTH_MAX = 3

/**
 * Formats a message of the log as a line of a dump.
 * @throws HopperError HOP_LIMIT for a message that fits into no line
 */
export function dumpMessage(lane: number, position: number, value: Uint8Array): string {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  const text = isUtf8(bytes) ? lineOf({ lane, position, text: bytes.toString('utf8') }) : undefined
  const line =
    text !== undefined && text.length <= bytes.length * TEXT_GROWTH_MAX + 100
      ? text
      : lineOf({ lane, position, base64: bytes.toString('base64') })
  if (line.length * TEXT_GROWTH_MAX > LINE_BYTES_MAX && Buffer.byteLength(line) > LINE_BYTES_MAX) {
    throw new HopperError(
      'HOP_LIMIT',
      `The message at position ${position} of lane ${lane} has ${bytes.length} bytes, too many for a dump.`,
    )
  }
  return line
}

/** Returns the bytes of a message that `dumpMessage` wrote; undefined when the line is invalid. */
export function messageBytes(line: object): Buffer | undefined {
  const { text, base64 } = line as { text?: unknown; base64?: unknown }
  if (typeof text === 'string' && base64 === undefined) return Buffer.from(text, 'utf8')
  if (typeof base64 !== 'string' || text !== undefined) return undefined
  const bytes = Buffer.from(base64, 'base64')
  // Node ignores characters that are not base64.
  return bytes.toString('base64') === base64 ? bytes : undefined
}

function lineOf(message: DumpedMessage): string {
  return `${JSON.stringify(message)}\n`
}
