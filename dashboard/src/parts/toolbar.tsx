import { useState, type ReactNode } from 'react'
import { presetNames, presets, resolveRange, type Preset } from '../state/date-range.ts'
import { useView } from '../state/use-view.ts'

/** Selects the dates and the unit of users. */
export function Toolbar({ today, counts }: { today: string; counts: boolean }): ReactNode {
  const { view, go } = useView()
  const { from, to } = resolveRange(view.range, today)
  const custom = !('preset' in view.range)
  return (
    <div className="toolbar">
      <div className="switch presets" role="group" aria-label="Range">
        {presets.map((preset) => (
          <button
            key={preset}
            type="button"
            aria-pressed={!custom && isPreset(view.range, preset)}
            onClick={() => go({ range: { preset } })}
          >
            {presetNames[preset]}
          </button>
        ))}
      </div>
      <Dates key={`${from} ${to}`} from={from} to={to} custom={custom} choose={(range) => go({ range })} />
      {counts && (
        <label className="inline">
          Count
          <select
            value={view.countBy}
            onChange={(event) => go({ countBy: event.target.value === 'device' ? 'device' : 'person' })}
          >
            <option value="person">persons</option>
            <option value="device">devices</option>
          </select>
        </label>
      )}
    </div>
  )
}

interface DatesProps {
  from: string
  to: string
  custom: boolean
  choose: (range: { from: string; to: string }) => void
}

/** Two date inputs; their range is applied once both are set and in order. */
function Dates({ from, to, custom, choose }: DatesProps): ReactNode {
  const [dates, setDates] = useState({ from, to })
  const change = (next: { from: string; to: string }): void => {
    setDates(next)
    if (next.from !== '' && next.to !== '' && next.from <= next.to) choose(next)
  }
  return (
    <div className={custom ? 'dates chosen' : 'dates'} role="group" aria-label="Custom dates">
      <input
        type="date"
        aria-label="First date"
        value={dates.from}
        max={dates.to}
        onChange={(event) => change({ ...dates, from: event.target.value })}
      />
      <span aria-hidden="true">–</span>
      <input
        type="date"
        aria-label="Last date"
        value={dates.to}
        min={dates.from}
        onChange={(event) => change({ ...dates, to: event.target.value })}
      />
    </div>
  )
}

function isPreset(range: object, preset: Preset): boolean {
  return 'preset' in range && range.preset === preset
}
