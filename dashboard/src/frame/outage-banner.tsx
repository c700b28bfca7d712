import { useEffect, useState, useSyncExternalStore, type ReactNode } from 'react'
import { useQueryClient } from '@tanstack/react-query'
import { useSession } from '../api/session.tsx'
import { words } from '../words.ts'

const RETRY_SECONDS = 5

/** Shows once that Hopper does not answer, and retries until it does. */
export function OutageBanner(): ReactNode {
  const { connection } = useSession()
  const isDown = useSyncExternalStore(connection.subscribe, () => connection.isDown)
  return isDown ? <Outage /> : null
}

function Outage(): ReactNode {
  const { client, shared } = useSession()
  const queries = useQueryClient()
  const [seconds, setSeconds] = useState(RETRY_SECONDS)
  useEffect(() => {
    const timer = setInterval(() => setSeconds((left) => left - 1), 1_000)
    return () => clearInterval(timer)
  }, [])
  const ask = (): void => {
    setSeconds(RETRY_SECONDS)
    client.get(shared ? '/api/v1/shared-view' : '/api/v1/me').then(
      () => void queries.invalidateQueries(),
      // the state of the connection still says that there is no answer
      () => undefined,
    )
  }
  useEffect(() => {
    if (seconds <= 0) ask()
  })
  return (
    <div className="outage">
      <p role="alert">{words.problems.outage}</p>
      <p>{words.problems.outageRetry(Math.max(0, seconds))}</p>
      <button type="button" className="small" onClick={ask}>
        {words.problems.retryNow}
      </button>
    </div>
  )
}
