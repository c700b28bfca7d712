import { useState } from 'react'

interface Change {
  readonly error: Error | null
  readonly busy: boolean
  /** Runs a call that changes something; tells whether it did. */
  run(call: () => Promise<unknown>): Promise<boolean>
}

/** Calls that change something, one at a time, with the API's complaint about the last one. */
export function useChange(after: () => void): Change {
  const [error, setError] = useState<Error | null>(null)
  const [busy, setBusy] = useState(false)
  const run = async (call: () => Promise<unknown>): Promise<boolean> => {
    setBusy(true)
    setError(null)
    try {
      await call()
      after()
      return true
    } catch (cause) {
      setError(cause as Error)
      return false
    } finally {
      setBusy(false)
    }
  }
  return { error, busy, run }
}
