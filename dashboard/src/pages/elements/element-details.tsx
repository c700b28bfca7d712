import { useMemo, type ReactNode } from 'react'
import type { Hesitation, HesitationAnswer, HesitationQuery, ListedFunnel } from '@hopper/contracts'
import { appPath } from '../../api/paths.ts'
import { useShared } from '../../api/session.tsx'
import { useLongQuery } from '../../api/use-funnel.ts'
import { DensityChart, type DensityGroup } from '../../charts/density-chart.tsx'
import { AppLink } from '../../parts/app-link.tsx'
import { CopyText } from '../../parts/copy-text.tsx'
import { HesitationTable } from '../../parts/hesitation-table.tsx'
import { QueryProgress } from '../../parts/states/query-progress.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { SaveButton } from '../../parts/buttons/save-button.tsx'
import { Skeleton } from '../../parts/states/skeleton.tsx'
import { chipText } from '../../state/filters.ts'
import { useScope } from '../../state/scope.tsx'
import { useSearchState } from '../../state/use-search.ts'
import { words } from '../../words.ts'
import type { NamedElement } from './element-groups.ts'
import { elementWords } from './element-words.ts'

/** No sentence is shown about fewer clicks, or fewer looks without a click. */
const SENTENCE_MIN = 100

/** Shows the time that people look at one element by mouse before they click it or leave it. */
export function ElementDetails({ row, funnel }: { row: NamedElement; funnel?: ListedFunnel }): ReactNode {
  const { app, range, filters, unit, live } = useScope()
  const { search } = useSearchState()
  const shared = useShared()
  const body = useMemo(
    (): HesitationQuery => ({
      from: range.from,
      to: range.to,
      element: row.xpath,
      ...(funnel === undefined ? {} : { funnel: funnel.id }),
      ...(filters.length === 0 ? {} : { filters }),
      ...(unit === 'person' ? {} : { count_by: unit }),
    }),
    [range, row.xpath, funnel, filters, unit],
  )
  const report = useLongQuery<HesitationAnswer>(appPath(app.id, 'hesitation/query'), body, live)
  const target = chipText({ key: 'target', value: row.xpath })
  return (
    <div className="element-more">
      <QueryProgress report={report} />
      <ReportView report={report} skeleton={<Skeleton height={200} />}>
        {(answer) =>
          answer.hovers === 0 ? (
            <p className="nothing">{elementWords.noHovers}</p>
          ) : (
            <>
              <Sentence of={answer} />
              <div data-picture="hesitation">
                <DensityChart label={elementWords.distribution} groups={groupsOf(answer)} />
              </div>
              {answer.went_on && answer.lost && (
                <HesitationTable
                  groups={[
                    { name: elementWords.wentAllTheWay, hovers: answer.went_on },
                    { name: words.funnels.panel.lost, hovers: answer.lost },
                  ]}
                />
              )}
            </>
          )
        }
      </ReportView>
      {row.taps > 0 && <p>{elementWords.tapped(row.taps, row.tapped_by, words.units[unit].of(row.tapped_by))}</p>}
      <div className="row">
        <CopyText text={row.xpath} label={elementWords.xpath} />
        {(report.data?.hovers ?? 0) > 0 && (
          <SaveButton
            name="hesitation"
            picture={{ of: 'hesitation', title: row.name }}
            label={words.save.pngLabel(elementWords.distribution)}
          />
        )}
        {!shared && (
          <AppLink
            app={app.id}
            to="explore"
            search={{ what: 'type:btn_time', as: 'events', f: [...(search.f ?? []), target] }}
          >
            {elementWords.events}
          </AppLink>
        )}
      </div>
    </div>
  )
}

/** Describes who looks longer, if enough people were seen to say so. */
function Sentence({ of }: { of: Hesitation }): ReactNode {
  const { clicked, hovers, median_click_ms: click, median_leave_ms: leave } = of
  const left = hovers - clicked
  if (clicked < SENTENCE_MIN || left < SENTENCE_MIN || click === null || leave === null)
    return <p className="hint">{elementWords.smallSample(SENTENCE_MIN)}</p>
  return <p className="finding">{elementWords.compare(click, leave, clicked, left)}</p>
}

function groupsOf({ histogram, median_click_ms: click, median_leave_ms: leave }: Hesitation): DensityGroup[] {
  return [
    {
      name: elementWords.whoLeft,
      tone: 'left',
      median_ms: leave,
      buckets: histogram.map(({ from_ms, to_ms, leave: count }) => ({ from_ms, to_ms, count })),
    },
    {
      name: elementWords.whoClicked,
      tone: 'clicked',
      median_ms: click,
      buckets: histogram.map(({ from_ms, to_ms, click: count }) => ({ from_ms, to_ms, count })),
    },
  ]
}
