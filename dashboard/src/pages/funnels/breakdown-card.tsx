import type { ReactNode } from 'react'
import type { FunnelAnswer } from '@hopper/contracts'
import { useShared } from '../../api/session.tsx'
import { formatCount, formatPercent } from '../../format/numbers.ts'
import { KeyList } from '../../frame/filter-popover.tsx'
import { useChips } from '../../frame/filter-chips.tsx'
import { PopoverButton } from '../../parts/buttons/popover-button.tsx'
import { chipOf } from '../../state/filters.ts'
import { useSearchState } from '../../state/use-search.ts'
import { keyName, valueName, words } from '../../words.ts'
import { breakdownRows, valueText, type BreakdownRow } from './breakdown.ts'
import { OpenButton } from './stage-list.tsx'
import { verdictText } from './verdict-text.ts'

/** The properties that are one press away. */
const quickKeys = ['device', 'browser', 'os', 'utm_source']

/** The funnel for each value of a property, the worst marked. */
export function BreakdownCard({ answer }: { answer: FunnelAnswer }): ReactNode {
  const { search, change } = useSearchState()
  const by = search.by
  const shared = useShared()
  return (
    <section className="card" aria-label={words.funnels.breakdown}>
      <header>
        <h2>{by === undefined ? words.funnels.breakdown : words.funnels.breakdownBy(keyName(by))}</h2>
        {!shared && (
          <div className="card-actions">
            {quickKeys.map((key) => (
              <button
                key={key}
                type="button"
                className="small"
                aria-pressed={by === key}
                onClick={() => change({ by: by === key ? undefined : key })}
              >
                {keyName(key)}
              </button>
            ))}
            <PopoverButton className="small" label={words.funnels.breakdownChoose} button="…">
              {(close) => (
                <KeyList
                  choose={(key) => {
                    change({ by: key })
                    close()
                  }}
                />
              )}
            </PopoverButton>
          </div>
        )}
      </header>
      {by !== undefined && answer.breakdown && (
        <BreakdownTable by={by} answer={answer} rows={breakdownRows(answer.breakdown)} />
      )}
    </section>
  )
}

function BreakdownTable({
  by,
  answer,
  rows,
}: {
  by: string
  answer: FunnelAnswer
  rows: readonly BreakdownRow[]
}): ReactNode {
  const stages = answer.steps.map(({ name }) => name)
  const most = Math.max(...rows.map(({ rate, isSmall }) => (isSmall ? 0 : (rate ?? 0))), 1e-9)
  return (
    <div className="table-scroll" tabIndex={0} role="region" aria-label={words.funnels.breakdownBy(keyName(by))}>
      <table className="breakdown">
        <thead>
          <tr>
            <th scope="col">{keyName(by)}</th>
            {answer.steps.map(({ name }, index) => (
              <th key={index} scope="col" className="number">
                <bdi className="cut">{name}</bdi>
              </th>
            ))}
            <th scope="col">{words.funnels.rate}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <BreakdownLine key={index} by={by} row={row} most={most} stages={stages} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

interface LineProps {
  by: string
  row: BreakdownRow
  /** the highest rate of all rows */
  most: number
  /** names of the stages */
  stages: readonly string[]
}

function BreakdownLine({ by, row, most, stages }: LineProps): ReactNode {
  const { add, isLocked } = useChips()
  const isOther = !('value' in row)
  const name = isOther ? words.other : valueName(row.value ?? null)
  const chip = isOther || isLocked ? undefined : chipOf(by, row.value ?? null)
  return (
    <tr className={row.isSmall ? 'few' : undefined}>
      <th scope="row">
        {chip ? (
          <button
            type="button"
            className="link"
            title={words.funnels.filterBy(name)}
            onClick={(event) => add(event.metaKey || event.ctrlKey ? { ...chip, not: true } : chip)}
          >
            <bdi className="cut">{name}</bdi>
          </button>
        ) : (
          name
        )}
        {row.isWorst && <span className="badge bad">{words.funnels.worstValue}</span>}
      </th>
      {row.counts.map((count, index) => (
        <td key={index} className="number">
          {isOther || count === 0 ? (
            formatCount(count)
          ) : (
            <OpenButton
              stage={index + 1}
              value={valueText(row.value ?? null)}
              label={words.funnels.openPeople(`${name}, ${stages[index]!}, ${formatCount(count)}`)}
            >
              <b className="tnum">{formatCount(count)}</b>
            </OpenButton>
          )}
          {index > 0 && (
            <small> {formatPercent(row.counts[index - 1] === 0 ? null : count / row.counts[index - 1]!)}</small>
          )}
        </td>
      ))}
      <td>
        <span className="mini-track" aria-hidden="true">
          {(row.rate ?? 0) > 0 && !row.isSmall && <span style={{ width: `${((row.rate ?? 0) / most) * 100}%` }} />}
        </span>
        <b className="tnum">{formatPercent(row.rate)}</b>{' '}
        <small>{row.isSmall ? words.funnels.few : verdictText(row.verdict)}</small>
      </td>
    </tr>
  )
}
