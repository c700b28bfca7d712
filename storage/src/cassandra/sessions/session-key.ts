import { UUID_BYTES, writeUuid } from '@hopper/contracts'

const POSITION_BYTES = 8
const UUID = 0
const TEXT = 1

/**
 * The key of a row: the session's id, then the position at which the lane's owner first counted it, in 8 bytes. A UUID
 * is a 0 and 16 bytes; any other text is a 1, its length in UTF-8 bytes (16 bits) and the text. The rows of a session
 * are thus adjacent and separate from those of every other session. Stored, so it must never change.
 */
export function sessionKey(sessionId: string, position: bigint): Buffer {
  const key = idOf(sessionId)
  key.writeBigUInt64BE(position, key.length - POSITION_BYTES)
  return key
}

/** The lowest and the highest key that a session can have. */
export function sessionKeys(sessionId: string): [Buffer, Buffer] {
  return [sessionKey(sessionId, 0n), sessionKey(sessionId, 2n ** 64n - 1n)]
}

function idOf(sessionId: string): Buffer {
  const uuid = Buffer.allocUnsafe(1 + UUID_BYTES + POSITION_BYTES)
  if (writeUuid(sessionId, uuid, 1)) {
    uuid[0] = UUID
    return uuid
  }
  const bytes = Buffer.byteLength(sessionId)
  const text = Buffer.allocUnsafe(3 + bytes + POSITION_BYTES)
  text[0] = TEXT
  text.writeUInt16BE(bytes, 1)
  text.write(sessionId, 3)
  return text
}
