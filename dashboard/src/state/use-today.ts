import { useEffect, useState } from 'react'
import { dateIn } from './date-range.ts'

const UPDATE_MS = 15_000

/** Returns today's date in a time zone; updates at midnight there. */
export function useToday(timezone: string): string {
  const [, setDate] = useState('')
  useEffect(() => {
    const timer = setInterval(() => setDate(dateIn(timezone, Date.now())), UPDATE_MS)
    return () => clearInterval(timer)
  }, [timezone])
  return dateIn(timezone, Date.now())
}
