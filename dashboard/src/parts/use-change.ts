import { useState } from 'react'

interface Change {
  readonly error: Error | null
  readonly busy: boolean
  /** runs a changing call; resolves with whether it succeeded */
  readonly run: (call: () => Promise<unknown>) => Promise<boolean>
}

/** Runs changing calls one at a time and keeps the error of the last one. */
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
