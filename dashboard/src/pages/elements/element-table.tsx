import { Fragment, type ReactNode } from 'react'
import { ChevronDown, ChevronRight } from 'lucide-react'
import { compareProportions, type ElementHovers, type ListedFunnel, type Verdict } from '@hopper/contracts'
import { Sparkline } from '../../charts/line-chart.tsx'
import { NOTHING, formatCount, formatDuration, formatPercent } from '../../format/numbers.ts'
import { pageNames } from '../../format/pages.ts'
import { Icon } from '../../parts/icon.tsx'
import { MiddleCut } from '../../parts/middle-cut.tsx'
import { useScope } from '../../state/scope.tsx'
import { useSearchState } from '../../state/use-search.ts'
import { words } from '../../words.ts'
import type { ElementGroup, NamedElement } from './element-groups.ts'
import { ElementDetails } from './element-details.tsx'
import { elementWords } from './element-words.ts'

const COLUMNS = 9
const DAY_MS = 86_400_000

interface Props {
  groups: readonly ElementGroup[]
  funnel?: ListedFunnel
  /** the instants at which the buckets of the trends begin */
  times?: readonly number[]
}

/** The elements by stage and page; a press on one shows how long people look at it. */
export function ElementTable({ groups, funnel, times = [] }: Props): ReactNode {
  const { unit } = useScope()
  const nameOf = pageNames(groups.flatMap(({ rows }) => rows.flatMap(({ page }) => page ?? [])))
  const text = elementWords
  return (
    <div className="table-scroll" tabIndex={0} role="region" aria-label={text.table}>
      <table className="element-table">
        <thead>
          <tr>
            <th scope="col">{text.element}</th>
            <th scope="col" className="number">
              {words.units[unit].name}
            </th>
            <th scope="col" className="number">
              {text.looks}
            </th>
            <th scope="col" className="number">
              {text.clicked}
            </th>
            <th scope="col" className="number late">
              {text.beforeClick}
            </th>
            <th scope="col" className="number late">
              {text.beforeLeaving}
            </th>
            <th scope="col" className="late">
              {text.trend}
            </th>
            <th scope="col" className="late">
              {text.buyers(funnel?.name ?? text.funnel)}
            </th>
            <th scope="col" className="number">
              {text.taps}
            </th>
          </tr>
        </thead>
        {groups.map(({ stage, rows }) => (
          <tbody key={stage?.number ?? 'none'}>
            <tr className="stage-head">
              <th scope="rowgroup" colSpan={COLUMNS}>
                {stage ? (
                  <>
                    <span className="stage-place">{stage.number}</span> <bdi>{stage.name}</bdi>
                  </>
                ) : (
                  text.elsewhere
                )}
              </th>
            </tr>
            {rows.map((row) => (
              <Row
                key={row.xpath}
                row={row}
                times={times}
                pageName={row.page === undefined ? text.noPage : nameOf(row.page)}
                {...(funnel ? { funnel } : {})}
              />
            ))}
          </tbody>
        ))}
      </table>
    </div>
  )
}

interface RowProps {
  row: NamedElement
  pageName: string
  funnel?: ListedFunnel
  times: readonly number[]
}

function Row({ row, pageName, funnel, times }: RowProps): ReactNode {
  const { search, change } = useSearchState()
  const isOpen = search.element === row.xpath
  const { people, hovers, clicked_share: share, median_click_ms: click, median_leave_ms: leave, taps } = row
  return (
    <Fragment>
      <tr className={isOpen ? 'opened' : undefined}>
        <th scope="row">
          <button
            type="button"
            className="element-name"
            aria-expanded={isOpen}
            onClick={() => change({ element: isOpen ? undefined : row.xpath }, { replace: true })}
          >
            <Icon of={isOpen ? ChevronDown : ChevronRight} />
            <span>
              <MiddleCut text={row.name} title={row.xpath} />
              <small>
                <bdi>{pageName}</bdi>
              </small>
            </span>
          </button>
        </th>
        <td className="number">{formatCount(people)}</td>
        <td className="number">{formatCount(hovers)}</td>
        <td className="number">{hovers === 0 ? NOTHING : formatPercent(share)}</td>
        <td className="number late">{formatDuration(click)}</td>
        <td className="number late">{formatDuration(leave)}</td>
        <td className="late">
          <Trend row={row} times={times} />
        </td>
        <td className="late">
          <Difference {...(row.went_on ? { wentOn: row.went_on } : {})} {...(row.lost ? { lost: row.lost } : {})} />
        </td>
        <td className="number">{taps === 0 ? NOTHING : formatCount(taps)}</td>
      </tr>
      {isOpen && (
        <tr className="element-details">
          <td colSpan={COLUMNS}>
            <ElementDetails row={row} {...(funnel ? { funnel } : {})} />
          </td>
        </tr>
      )}
    </Fragment>
  )
}

/** The share of looks that ended in a click, per day or week; the one that is not over is open. */
function Trend({ row: { trend, hovers }, times }: { row: NamedElement; times: readonly number[] }): ReactNode {
  if (!trend || hovers === 0 || times.length < 2) return NOTHING
  const step = times[1]! - times[0]!
  const isOver = times.at(-1)! + Math.max(step, DAY_MS) <= Date.now()
  const shares = trend.hovers.map((all, index) => (all === 0 ? 0 : trend.clicked[index]! / all))
  return <Sparkline values={shares} openFrom={isOver ? shares.length : shares.length - 1} />
}

/** The share of clicks of those who went all the way in the funnel against that of those lost. */
function Difference({ wentOn, lost }: { wentOn?: ElementHovers; lost?: ElementHovers }): ReactNode {
  if (!wentOn || !lost || wentOn.hovers + lost.hovers === 0) return NOTHING
  const verdict = compareProportions({ hits: wentOn.clicked, n: wentOn.hovers }, { hits: lost.clicked, n: lost.hovers })
  return (
    <span className={verdict.is === 'few' ? 'few' : undefined}>
      <b className="tnum">{formatPercent(wentOn.clicked_share)}</b> {elementWords.against}{' '}
      <span className="tnum">{formatPercent(lost.clicked_share)}</span> <small>{verdictName(verdict)}</small>
    </span>
  )
}

function verdictName({ is }: Verdict): string {
  if (is === 'few') return words.funnels.few
  return is === 'real' ? words.funnels.real : words.funnels.chance
}
