const [QUOTE, BACKSLASH, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = Buffer.from('"\\[]{}')
const NULL = Buffer.from('null')

/**
 * JSON in which every list or object deeper than this is null: reading 800 KB of brackets takes the thread up to a
 * second, and nothing of it would be kept. One that has more bytes than an event may have is a text of that length, so
 * that its event is still too large. What is not JSON stays none. The same bytes when nothing is that deep.
 */
export function cutDeep(json: Buffer, depthMax: number, bytesMax: number): Buffer {
  const parts: Buffer[] = []
  let [depth, isText, kept, cutAt] = [0, false, 0, -1]
  for (let at = 0; at < json.length; at++) {
    const byte = json[at]
    if (isText) {
      if (byte === BACKSLASH) at++
      else if (byte === QUOTE) isText = false
    } else if (byte === QUOTE) isText = true
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      if (++depth === depthMax + 1) cutAt = at
    } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) {
      if (depth-- !== depthMax + 1) continue
      parts.push(json.subarray(kept, cutAt), at - cutAt < bytesMax ? NULL : Buffer.from(`"${'x'.repeat(bytesMax)}"`))
      kept = at + 1
    }
  }
  // one that has no end is no JSON: its beginning is kept, so that the rest is not read
  if (depth > depthMax) return Buffer.concat([...parts, json.subarray(kept, cutAt)])
  return parts.length === 0 ? json : Buffer.concat([...parts, json.subarray(kept)])
}
