import { useEffect } from 'react'
import { rangeText, shiftRange, type Preset } from '../state/date-range.ts'
import { useScope } from '../state/scope.tsx'
import { useSearchState } from '../state/use-search.ts'

export const presetKeys: Record<Preset, string> = { today: 'T', '7d': '7', '30d': '3', '90d': '9', '12m': 'Y' }

/** Chooses a range by keys, as long as nothing is typed and nothing floats. */
export function useRangeKeys(): void {
  const { range } = useScope()
  const { change } = useSearchState()
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.metaKey || event.ctrlKey || event.altKey || event.shiftKey || isTaken(event.target)) return
      const preset = Object.entries(presetKeys).find(([, key]) => key === event.key.toUpperCase())?.[0]
      if (preset !== undefined) change({ range: preset })
      else if (event.key === 'ArrowLeft') change({ range: rangeText(shiftRange(range, -1)) })
      else if (event.key === 'ArrowRight') change({ range: rangeText(shiftRange(range, 1)) })
      else return
      event.preventDefault()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [range, change])
}

/** Returns whether a key press belongs to the focused element. */
export function isTaken(target: EventTarget | null): boolean {
  return (
    target instanceof Element &&
    target.closest(
      'input, select, textarea, [contenteditable], dialog, [role="dialog"], [role="tablist"], [data-arrows]',
    ) !== null
  )
}
