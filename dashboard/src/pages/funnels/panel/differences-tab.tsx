import { useMemo, type ReactNode } from 'react'
import { useFunnel } from '../../../api/use-funnel.ts'
import { formatCount, formatPercent } from '../../../format/numbers.ts'
import { ReportView } from '../../../parts/states/report-view.tsx'
import { Skeleton } from '../../../parts/states/skeleton.tsx'
import { useScope } from '../../../state/scope.tsx'
import { keyName, words } from '../../../words.ts'
import { byEffect, differences, type Difference } from '../differences.ts'
import { funnelQuestion } from '../funnel-question.ts'
import { verdictText } from '../verdict-text.ts'
import type { PanelProps } from './panel-props.ts'

/** The properties by which those lost are compared with those who continued. */
const comparedKeys = ['device', 'browser', 'os', 'utm_source', 'country'] as const
const SHOWN = 12

/** Lists the differences between those lost before a stage and those who continued, the strongest first. */
export default function DifferencesTab({ funnel, of }: PanelProps): ReactNode {
  const scope = useScope()
  const { app, range } = scope
  const bodies = useMemo(
    () => comparedKeys.map((breakdown) => funnelQuestion(scope, range, { funnel: funnel.id }, { breakdown })),
    [scope, range, funnel.id],
  )
  const reports = [
    useFunnel(app.id, bodies[0]!, false),
    useFunnel(app.id, bodies[1]!, false),
    useFunnel(app.id, bodies[2]!, false),
    useFunnel(app.id, bodies[3]!, false),
    useFunnel(app.id, bodies[4]!, false),
  ]
  const failed = reports.find(({ error }) => error)
  if (failed) return <ReportView report={failed}>{() => null}</ReportView>
  if (reports.some(({ data }) => data === undefined)) return <Skeleton height={320} />
  const found = byEffect(
    reports.flatMap(({ data }, index) => differences(comparedKeys[index]!, data!.breakdown ?? [], of.stage)),
  ).slice(0, SHOWN)
  return (
    <>
      <p className="hint">{words.funnels.panel.differencesHint}</p>
      {found.length === 0 && <p className="nothing">{words.funnels.panel.noDifferences}</p>}
      <ul className="differences">
        {found.map((one) => (
          <DifferenceRow key={`${one.key} ${String(one.value)}`} of={one} />
        ))}
      </ul>
    </>
  )
}

function DifferenceRow({ of }: { of: Difference }): ReactNode {
  const { key, value, lost, wentOn, shareOfLost, shareOfOn, verdict } = of
  const name = value === null || value === '' ? words.none : String(value)
  return (
    <li className={verdict.is === 'real' ? undefined : 'few'}>
      <b>
        {keyName(key)}: <bdi>{name}</bdi>
      </b>
      <dl>
        <dt>{words.funnels.panel.ofLost}</dt>
        <dd>
          <span className="mini-track" aria-hidden="true">
            <span className="lost" style={{ width: `${shareOfLost * 100}%` }} />
          </span>
          <span className="tnum">
            {formatPercent(shareOfLost)} <small>({formatCount(lost)})</small>
          </span>
        </dd>
        <dt>{words.funnels.panel.ofOn}</dt>
        <dd>
          <span className="mini-track" aria-hidden="true">
            <span style={{ width: `${shareOfOn * 100}%` }} />
          </span>
          <span className="tnum">
            {formatPercent(shareOfOn)} <small>({formatCount(wentOn)})</small>
          </span>
        </dd>
      </dl>
      <small>{verdictText(verdict)}</small>
    </li>
  )
}
