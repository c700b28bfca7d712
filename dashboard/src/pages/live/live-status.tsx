import { useEffect, useState, type ReactNode } from 'react'
import { formatSpan } from '../../format/spans.ts'
import { liveWords } from './live-words.ts'

const TICK_MS = 1_000

interface Props {
  isPaused: boolean
  isConnected: boolean
  /** time of the newest event; absent if there is none */
  newest?: number
}

/** Says whether new events appear, and how old the newest one is. */
export function LiveStatus({ isPaused, isConnected, newest }: Props): ReactNode {
  const name = isPaused ? liveWords.paused : isConnected ? liveWords.open : liveWords.connecting
  return (
    <p className="live-status hint">
      <span className={isConnected && !isPaused ? 'pulse' : 'pulse off'} aria-hidden="true" />
      <b>{name}</b>
      {newest !== undefined && (
        <>
          {' · '}
          <Age since={newest} />
        </>
      )}
    </p>
  )
}

function Age({ since }: { since: number }): ReactNode {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), TICK_MS)
    return () => clearInterval(timer)
  }, [])
  return <span className="tnum">{liveWords.newest(formatSpan((Math.max(now, since) - since) / 1000))}</span>
}
