import { useMemo, type ReactNode } from 'react'
import { type ElementActions, type HesitationAnswer, type HesitationQuery, compareProportions } from '@hopper/contracts'
import { appPath, reportPath } from '../../../api/paths.ts'
import { useLongQuery } from '../../../api/use-funnel.ts'
import { useReport } from '../../../api/use-report.ts'
import { HoverHistogram } from '../../../charts/hover-histogram.tsx'
import { HesitationTable } from '../../../parts/hesitation-table.tsx'
import { QueryProgress } from '../../../parts/states/query-progress.tsx'
import { ReportView } from '../../../parts/states/report-view.tsx'
import { SaveButton } from '../../../parts/buttons/save-button.tsx'
import { Skeleton } from '../../../parts/states/skeleton.tsx'
import { useScope } from '../../../state/scope.tsx'
import { useSearchState } from '../../../state/use-search.ts'
import { words } from '../../../words.ts'
import { verdictText } from '../verdict-text.ts'
import type { PanelProps } from './panel-props.ts'

type Element = ElementActions['rows'][number]

/** Shows how long people look at an element before they click or leave it: those who went on against those lost. */
export default function HesitationTab(props: PanelProps): ReactNode {
  const { app, range } = useScope()
  const report = useReport<ElementActions>(reportPath(app.id, 'elements/actions', range))
  return (
    <ReportView report={report} skeleton={<Skeleton height={360} />}>
      {({ rows }) =>
        rows.length === 0 ? (
          <p className="nothing">{words.funnels.panel.noElements}</p>
        ) : (
          <HesitationOf {...props} elements={rows} />
        )
      }
    </ReportView>
  )
}

function HesitationOf({ funnel, of, elements }: PanelProps & { elements: readonly Element[] }): ReactNode {
  const { app, range, filters, unit, live } = useScope()
  const { search, change } = useSearchState()
  const { xpath } = elements.find((one) => one.xpath === search.element) ?? elements[0]!
  const body = useMemo(
    (): HesitationQuery => ({
      from: range.from,
      to: range.to,
      element: xpath,
      funnel: funnel.id,
      // of the first stage, those who went all the way are compared with those who did not
      ...(of.stage > 1 ? { step: of.stage } : {}),
      ...(filters.length === 0 ? {} : { filters }),
      ...(unit === 'person' ? {} : { count_by: unit }),
    }),
    [range, xpath, funnel.id, of.stage, filters, unit],
  )
  const report = useLongQuery<HesitationAnswer>(appPath(app.id, 'hesitation/query'), body, live)
  return (
    <>
      <label className="inline">
        {words.funnels.panel.element}
        <select value={xpath} onChange={(event) => change({ element: event.target.value })}>
          {elements.map((one) => (
            <option key={one.xpath} value={one.xpath}>
              {one.name}
            </option>
          ))}
        </select>
      </label>
      <p className="hint">{words.funnels.panel.hesitationHint}</p>
      <QueryProgress report={report} />
      <ReportView report={report} skeleton={<Skeleton height={300} />}>
        {(answer) =>
          answer.hovers === 0 ? (
            <p className="nothing">{words.funnels.panel.noHovers}</p>
          ) : (
            <Comparison answer={answer} />
          )
        }
      </ReportView>
    </>
  )
}

function Comparison({ answer }: { answer: HesitationAnswer }): ReactNode {
  const { unit } = useScope()
  const { went_on: wentOn, lost } = answer
  const text = words.funnels.panel
  return (
    <>
      <div className="table-scroll" tabIndex={0} role="region" aria-label={text.tabs.hesitation}>
        <HesitationTable
          people={words.units[unit].name}
          groups={[
            { name: text.everybody, hovers: answer },
            ...(wentOn ? [{ name: text.wentOn, hovers: wentOn }] : []),
            ...(lost ? [{ name: text.lost, hovers: lost }] : []),
          ]}
        />
      </div>
      <p className="hint">{text.medians}</p>
      {wentOn && lost && (
        <p>
          {text.hesitationVerdict(
            verdictText(
              compareProportions({ hits: wentOn.clicked, n: wentOn.hovers }, { hits: lost.clicked, n: lost.hovers }),
            ),
          )}
        </p>
      )}
      {wentOn && lost && (
        <>
          <div data-picture="hesitation">
            <HoverHistogram
              label={text.histogram}
              groups={[
                { name: text.wentOn, tone: 'reached', hesitation: wentOn },
                { name: text.lost, tone: 'lost', hesitation: lost },
              ]}
            />
          </div>
          <div className="row">
            <SaveButton
              name="hesitation"
              picture={{ of: 'hesitation', title: text.tabs.hesitation }}
              label={words.save.pngLabel(text.tabs.hesitation)}
            />
          </div>
        </>
      )}
    </>
  )
}
