import type { ReactNode } from 'react'
import { presets, rangeText, readRange } from '../state/date-range.ts'
import { DEFAULT_RANGE, useScope } from '../state/scope.tsx'
import { useSearchState } from '../state/use-search.ts'
import { words } from '../words.ts'
import DateChoice from './date-choice.tsx'
import { presetKeys } from './range-keys.ts'

/** Presets of a range beside its dates and a calendar. */
export default function RangePopover({ close }: { close: () => void }): ReactNode {
  const { range } = useScope()
  const { search, change } = useSearchState()
  const choice = readRange(search.range ?? DEFAULT_RANGE)!
  const choose = (text: string): void => {
    change({ range: text === DEFAULT_RANGE ? undefined : text })
    close()
  }
  return (
    <div className="range-popover">
      <div className="options">
        {presets.map((preset) => (
          <button
            key={preset}
            type="button"
            aria-pressed={'preset' in choice && choice.preset === preset}
            onClick={() => choose(preset)}
          >
            {words.bar.presets[preset]}
            <kbd>{presetKeys[preset]}</kbd>
          </button>
        ))}
      </div>
      <DateChoice range={range} choose={(own) => choose(rangeText(own))} />
    </div>
  )
}
