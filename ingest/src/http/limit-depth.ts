const [QUOTE, BACKSLASH, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = Buffer.from('"\\[]{}')
const NULL = Buffer.from('null')

/**
 * Replaces every list or object in JSON below the maximum depth by null: parsing 800 KB of brackets blocks the thread
 * for up to a second, and none of it would be stored. A part with more bytes than an event may have becomes a string of
 * that length, so that its event is still too large. Input that is not JSON stays invalid. Returns the same buffer when
 * nothing is that deep.
 */
export function limitDepth(json: Buffer, depthMax: number, bytesMax: number): Buffer {
  const parts: Buffer[] = []
  let [depth, isText, kept, cutAt] = [0, false, 0, -1]
  for (let index = 0; index < json.length; index++) {
    const byte = json[index]
    if (isText) {
      if (byte === BACKSLASH) index++
      else if (byte === QUOTE) isText = false
    } else if (byte === QUOTE) isText = true
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      if (++depth === depthMax + 1) cutAt = index
    } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) {
      if (depth-- !== depthMax + 1) continue
      parts.push(json.subarray(kept, cutAt), index - cutAt < bytesMax ? NULL : Buffer.from(`"${'x'.repeat(bytesMax)}"`))
      kept = index + 1
    }
  }
  // an unterminated list or object is not JSON: its beginning is kept and the rest is not parsed
  if (depth > depthMax) return Buffer.concat([...parts, json.subarray(kept, cutAt)])
  return parts.length === 0 ? json : Buffer.concat([...parts, json.subarray(kept)])
}
