import type { ReactNode } from 'react'
import { type DropCause, compareProportions } from '@hopper/contracts'
import { useShared } from '../../api/session.tsx'
import { formatCount, formatDuration, formatPercent, formatPoints } from '../../format/numbers.ts'
import { useScope } from '../../state/scope.tsx'
import { useSearchState, type SearchChange } from '../../state/use-search.ts'
import { words } from '../../words.ts'
import type { StageRow } from './stage-rows.ts'
import { verdictText } from './verdict-text.ts'

interface Props {
  rows: readonly StageRow[]
  /** of the period compared */
  before?: readonly StageRow[]
}

/** The stages as bars on a common scale, and between them those who have not gone on, by cause. */
export function StageList({ rows, before }: Props): ReactNode {
  const first = Math.max(1, rows[0]!.count)
  const firstBefore = Math.max(1, before?.[0]?.count ?? 1)
  return (
    <ol className="funnel" data-picture="funnel" aria-label={words.funnels.chart}>
      {rows.map((row) => {
        const was = before?.[row.stage - 1]
        return (
          <li key={row.stage}>
            {row.stage > 1 && <Drop row={row} />}
            <Stage
              row={row}
              firstName={rows[0]!.name}
              width={row.count / first}
              widthDeciding={row.deciding / first}
              widthLost={row.lost / first}
              first={rows[0]!.count}
              firstWas={before?.[0]?.count ?? 0}
              {...(was ? { was, widthWas: was.count / firstBefore } : {})}
            />
          </li>
        )
      })}
    </ol>
  )
}

interface StageProps {
  row: StageRow
  firstName: string
  /** widths are shares of the first stage */
  width: number
  widthDeciding: number
  widthLost: number
  was?: StageRow
  widthWas?: number
  /** those who reached the first stage, now and in the period compared */
  first: number
  firstWas: number
}

function Stage({
  row,
  firstName,
  width,
  widthDeciding,
  widthLost,
  was,
  widthWas,
  first,
  firstWas,
}: StageProps): ReactNode {
  const { stage, name, count, rate, rateFromBefore, medianMs, finalRate } = row
  return (
    <div className="stage">
      <span className="stage-name">
        <span className="stage-place">{stage}</span>
        <bdi className="cut" title={name}>
          {name}
        </bdi>
      </span>
      <span className="stage-track" aria-hidden="true">
        {count > 0 && <span className="reached" style={{ width: percent(width) }} />}
        {widthDeciding > 0 && <span className="deciding" style={{ width: percent(widthDeciding) }} />}
        {widthLost > 0 && <span className="rest" style={{ width: percent(widthLost) }} />}
        {widthWas !== undefined && <span className="was" style={{ width: percent(widthWas) }} />}
      </span>
      <OpenButton stage={stage} label={words.funnels.openPeople(`${name}, ${formatCount(count)}`)}>
        <b className="tnum">{formatCount(count)}</b>
      </OpenButton>
      <span className="stage-rate tnum" title={words.funnels.fromFirstHint(firstName)}>
        {formatPercent(rate)}
        <small> {words.funnels.fromFirst}</small>
        {was && stage > 1 && <RateChange row={row} was={was} first={first} firstWas={firstWas} />}
      </span>
      <span className="stage-time tnum" title={words.funnels.medianHint}>
        {rateFromBefore !== null && (
          <>
            {formatPercent(rateFromBefore)}
            {finalRate && (
              <small title={words.funnels.finalHint}> {words.funnels.upTo(formatPercent(finalRate.high))}</small>
            )}
            <small> {words.funnels.fromBefore}</small>
          </>
        )}
        {medianMs !== null && (
          <span className="stage-median">
            <small>{words.funnels.median}</small> {formatDuration(medianMs)}
          </span>
        )}
      </span>
    </div>
  )
}

/** The change of a rate; it is called better or worse only beyond chance. */
function RateChange({
  row,
  was,
  first,
  firstWas,
}: {
  row: StageRow
  was: StageRow
  first: number
  firstWas: number
}): ReactNode {
  if (row.rate === null || was.rate === null) return null
  const verdict = compareProportions({ hits: row.count, n: first }, { hits: was.count, n: firstWas })
  const tone = verdict.is === 'real' ? (verdict.z > 0 ? 'better' : 'worse') : 'hint'
  return (
    <span className={tone} title={verdictText(verdict)}>
      {' '}
      {formatPoints(row.rate - was.rate)}
    </span>
  )
}

function Drop({ row }: { row: StageRow }): ReactNode {
  const { stage, before, lost, deciding, causes } = row
  const gone = lost + deciding
  if (gone === 0) return <p className="drop hint">{words.funnels.nobodyLost}</p>
  const pieces: { cause: DropCause; count: number }[] = [
    ...(deciding > 0 ? [{ cause: 'open' as const, count: deciding }] : []),
    ...causes,
  ]
  return (
    <div className="drop">
      <OpenButton stage={stage} show="lost">
        {words.funnels.notOn(formatCount(gone), formatPercent(gone / before), deciding > 0)}
      </OpenButton>
      <span className="causes-bar" aria-hidden="true">
        {pieces.map(({ cause, count }) => (
          <span key={cause} className={`cause ${cause}`} style={{ flexGrow: count }} />
        ))}
      </span>
      <ul className="causes">
        {pieces.map(({ cause, count }) => (
          <li key={cause}>
            <OpenButton stage={stage} show="lost" cause={cause}>
              <i className={`cause ${cause}`} />
              <span>
                <b className="tnum">{formatCount(count)}</b> {words.causes[cause]}
              </span>
            </OpenButton>
          </li>
        ))}
      </ul>
    </div>
  )
}

interface OpenProps {
  stage: number
  show?: 'lost'
  cause?: DropCause
  /** only those of this value of the breakdown */
  value?: string
  label?: string
  children: ReactNode
}

/** A number that opens the panel of the people behind it; of a shared view only the number. */
export function OpenButton({ stage, show, cause, value, label, children }: OpenProps): ReactNode {
  const { unit } = useScope()
  const { search, change } = useSearchState()
  const shared = useShared()
  if (shared) return <span className="opens">{children}</span>
  const isOpen = search.stage === stage && search.show === show && search.cause === cause && search.value === value
  return (
    <button
      type="button"
      className="opens"
      data-opens={panelKey({ stage, show, cause, value })}
      aria-expanded={isOpen}
      title={words.funnels.openPeople(words.units[unit].name)}
      {...(label === undefined ? {} : { 'aria-label': label })}
      onClick={() => change(isOpen ? closedPanel : { ...closedPanel, stage, show, cause, value })}
    >
      {children}
    </button>
  )
}

/** The search parameters of a page without panel. */
export const closedPanel = {
  stage: undefined,
  show: undefined,
  cause: undefined,
  value: undefined,
  tab: undefined,
  who: undefined,
} satisfies SearchChange

/** Names the number that a panel is about. */
export function panelKey({ stage, show, cause, value }: SearchChange): string {
  return [stage, show, cause, value].join(' ')
}

function percent(share: number): string {
  return `${Math.min(100, share * 100).toFixed(2)}%`
}
