import type { ReactNode } from 'react'
import { ChevronsUpDown } from 'lucide-react'
import {
  type FunnelAnswer,
  type FunnelQuery,
  type ListedFunnel,
  compareProportions,
  differenceInterval,
  type Proportion,
} from '@hopper/contracts'
import { useSession } from '../../api/session.tsx'
import { formatCount, formatDuration, formatPercent, formatPoints } from '../../format/numbers.ts'
import { AppLink } from '../../parts/app-link.tsx'
import { CopyButton } from '../../parts/buttons/copy-button.tsx'
import { Icon } from '../../parts/icon.tsx'
import { PageTitle } from '../../parts/page-title.tsx'
import { PopoverButton } from '../../parts/buttons/popover-button.tsx'
import { QueryCsvButton } from '../../parts/buttons/query-csv-button.tsx'
import { filterText } from '../../state/filter-text.ts'
import { useScope } from '../../state/scope.tsx'
import { ShareButton } from '../../shared/share-button.tsx'
import type { Unit } from '../../state/search.ts'
import { words } from '../../words.ts'
import { PastProgress } from '../settings/past-progress.tsx'
import { proportionOf } from './funnel-proportion.ts'
import { finalRateOf, type StageRow } from './stage-rows.ts'
import { verdictText } from './verdict-text.ts'

/** The time that a funnel gives people, until funnels have one of their own. */
export const WINDOW_DAYS = 7

interface HeadProps {
  funnel: ListedFunnel
  funnels: readonly ListedFunnel[]
  body: FunnelQuery
  /** true if the page shows the stages as a chart */
  hasChart: boolean
}

/** The name of the funnel, the question in words, and what can be done with the answer. */
export function FunnelHead({ funnel, funnels, body, hasChart }: HeadProps): ReactNode {
  const { app, chips, unit } = useScope()
  const { me, shared } = useSession()
  return (
    <div className="page-head">
      <div>
        <div className="title-row">
          <PageTitle app={app.name}>{funnel.name}</PageTitle>
          {funnels.length > 1 && (
            <PopoverButton className="small plain" label={words.funnels.list} button={<Icon of={ChevronsUpDown} />}>
              {(close) => (
                <div className="options" onClick={close}>
                  {funnels.map(({ id, name }) => (
                    <AppLink key={id} app={app.id} to={`funnels/${encodeURIComponent(id)}`}>
                      <bdi className="cut">{name}</bdi>
                    </AppLink>
                  ))}
                </div>
              )}
            </PopoverButton>
          )}
          <PastProgress past={funnel.past} />
        </div>
        <p className="hint">
          {words.funnels.question(words.units[unit].name.toLowerCase(), WINDOW_DAYS, filterText(chips))}
        </p>
      </div>
      <div className="end">
        {me.member.role !== 'viewer' && (
          <AppLink app={app.id} to={`funnels/${encodeURIComponent(funnel.id)}/edit`} className="button small">
            {words.funnels.edit}
          </AppLink>
        )}
        <QueryCsvButton
          path={`/api/v1/apps/${encodeURIComponent(app.id)}/funnels/query`}
          body={body}
          name={funnel.id}
          picture={hasChart ? { of: 'funnel', title: funnel.name } : undefined}
        />
        {!shared && <CopyButton text={() => location.href}>{words.copyLink}</CopyButton>}
        <ShareButton of={{ page: 'funnel', funnel: funnel.id }} name={funnel.name} />
      </div>
    </div>
  )
}

interface NumbersProps {
  answer: FunnelAnswer
  rows: readonly StageRow[]
  compared?: FunnelAnswer
}

/** The numbers of the whole funnel: rate, who went all the way, time, and the difference to the period compared. */
export function FunnelNumbers({ answer, rows, compared }: NumbersProps): ReactNode {
  const { unit } = useScope()
  const now = proportionOf(answer)
  const final = finalRateOf(rows)
  const of = words.units[unit].of(now.n)
  return (
    <dl className="numbers" data-picture="funnel">
      <div>
        <dt>{words.funnels.rate}</dt>
        <dd className="large tnum">{formatPercent(answer.overall.rate)}</dd>
        {final && (
          <dd className="hint" title={words.funnels.finalHint}>
            {words.funnels.finalRate(formatPercent(final.low), formatPercent(final.high))}
          </dd>
        )}
      </div>
      <div>
        <dt>{words.funnels.finished}</dt>
        <dd className="large tnum">{formatCount(now.hits)}</dd>
        <dd className="hint">{words.funnels.reachedOf(formatCount(now.hits), formatCount(now.n), of)}</dd>
      </div>
      <div>
        <dt>{words.funnels.timeToComplete}</dt>
        <dd className="large tnum">{formatDuration(answer.overall.time.median_ms)}</dd>
      </div>
      {compared && <Comparison unit={unit} now={now} before={proportionOf(compared)} />}
    </dl>
  )
}

function Comparison({ unit, now, before }: { unit: Unit; now: Proportion; before: Proportion }): ReactNode {
  const verdict = compareProportions(now, before)
  const difference = now.hits / Math.max(1, now.n) - before.hits / Math.max(1, before.n)
  const { low, high } = differenceInterval(now, before)
  const tone = verdict.is === 'real' ? (difference > 0 ? 'large tnum better' : 'large tnum worse') : 'large tnum'
  return (
    <div>
      <dt>
        {words.bar.compare}: {formatPercent(before.n === 0 ? null : before.hits / before.n)} (
        {words.funnels.reachedOf(formatCount(before.hits), formatCount(before.n), words.units[unit].of(before.n))})
      </dt>
      <dd className={tone}>{before.n === 0 || now.n === 0 ? '–' : formatPoints(difference)}</dd>
      <dd className="hint">
        {verdictText(verdict)}
        {verdict.is !== 'few' && `, ${words.funnels.interval(formatPoints(low), formatPoints(high))}`}
      </dd>
    </div>
  )
}
