/** What a message says of itself, as far as it can be read. */
export interface LetterHead {
  readonly app?: string
  /** ms since the epoch */
  readonly received_at?: number
}

/** The app and the time of receipt of a message: of its first line, or of all of it; neither when it is no JSON. */
export function headOf(value: Uint8Array): LetterHead {
  const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8')
  const head = objectOf(text.split('\n', 1)[0]!) ?? objectOf(text)
  const { app, received_at } = head ?? {}
  return { ...(typeof app === 'string' ? { app } : {}), ...(Number.isSafeInteger(received_at) ? { received_at: received_at as number } : {}) }
}

/** A dead letter may be anything; what is no JSON has no head. */
function objectOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined
  } catch {
    return undefined
  }
}
