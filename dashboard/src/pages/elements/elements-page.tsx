import { useMemo, type ReactNode } from 'react'
import type { Clicks, Element, ElementsAnswer, ElementsQuery, ListedFunnel } from '@hopper/contracts'
import { appPath, reportPath } from '../../api/paths.ts'
import { useShared } from '../../api/session.tsx'
import { useLongQuery } from '../../api/use-funnel.ts'
import { useReport } from '../../api/use-report.ts'
import { PageFrame } from '../../frame/page-frame.tsx'
import { AppLink } from '../../parts/app-link.tsx'
import { Freshness } from '../../parts/states/freshness.tsx'
import { PageTitle } from '../../parts/page-title.tsx'
import { QueryCsvButton } from '../../parts/buttons/query-csv-button.tsx'
import { QueryProgress } from '../../parts/states/query-progress.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { Skeleton } from '../../parts/states/skeleton.tsx'
import { ShareButton } from '../../shared/share-button.tsx'
import { trendStep } from '../../state/date-range.ts'
import { useScope } from '../../state/scope.tsx'
import { useSearchState } from '../../state/use-search.ts'
import { elementGroups } from './element-groups.ts'
import { ElementTable } from './element-table.tsx'
import { elementWords } from './element-words.ts'
import { TwinsCard } from './twins-card.tsx'

/** Shows how people look at the interesting elements, click them and tap them, by stage of a funnel and by page. */
export default function ElementsPage(): ReactNode {
  const { app } = useScope()
  const funnels = useReport<{ funnels: ListedFunnel[] }>(appPath(app.id, 'funnels'))
  return (
    <PageFrame bar>
      <ReportView report={funnels} skeleton={<Skeleton height={480} />}>
        {({ funnels: all }) => <Elements funnels={all} />}
      </ReportView>
    </PageFrame>
  )
}

function Elements({ funnels }: { funnels: readonly ListedFunnel[] }): ReactNode {
  const { app, range, filters, unit, live } = useScope()
  const { search } = useSearchState()
  const funnel = funnels.find(({ id }) => id === search.funnel) ?? funnels[0]
  const path = appPath(app.id, 'elements/query')
  const body = useMemo(
    (): ElementsQuery => ({
      from: range.from,
      to: range.to,
      trend: trendStep(range),
      ...(funnel === undefined ? {} : { funnel: funnel.id }),
      ...(filters.length === 0 ? {} : { filters }),
      ...(unit === 'person' ? {} : { count_by: unit }),
    }),
    [range, funnel, filters, unit],
  )
  const report = useLongQuery<ElementsAnswer>(path, body, live)
  const named = useReport<{ elements: Element[] }>(appPath(app.id, 'elements'))
  const shared = useShared()
  // clicks ignore filters, but here they only tell on which page an element is
  const hasClicks = !shared || filters.length === 0
  const clicks = useReport<Clicks>(hasClicks ? reportPath(app.id, 'clicks', range) : null, live)
  const failed = [named, clicks].find(({ error, data }) => error && !data)
  return (
    <>
      <div className="page-head">
        <PageTitle app={app.name}>{elementWords.title}</PageTitle>
        <Freshness meta={report.data?.meta} />
        <div className="end">
          {funnels.length > 1 && <FunnelChoice funnels={funnels} chosen={funnel!.id} />}
          <QueryCsvButton path={path} body={body} name="elements" />
          <ShareButton of={{ page: 'elements', ...(funnel ? { funnel: funnel.id } : {}) }} name={elementWords.title} />
        </div>
      </div>
      {failed && <ReportView<unknown> report={failed}>{() => null}</ReportView>}
      <QueryProgress report={report} />
      <ReportView report={report} skeleton={<Skeleton height={420} />}>
        {({ rows, times }) => {
          if (!named.data || (hasClicks && !clicks.data)) return <Skeleton height={420} />
          const groups = elementGroups({
            rows,
            elements: named.data.elements,
            clicks: clicks.data?.rows ?? [],
            stages: funnel?.stages ?? [],
          })
          if (groups.length === 0) return <NoElement app={app.id} />
          return (
            <div className="cards">
              {!shared && <TwinsCard changed={() => [report, named, clicks].forEach(({ reload }) => reload())} />}
              <section className="card wide">
                <p className="hint">{elementWords.hint}</p>
                <ElementTable groups={groups} {...(funnel ? { funnel } : {})} {...(times ? { times } : {})} />
              </section>
            </div>
          )
        }}
      </ReportView>
    </>
  )
}

function FunnelChoice({ funnels, chosen }: { funnels: readonly ListedFunnel[]; chosen: string }): ReactNode {
  const { change } = useSearchState()
  return (
    <label className="inline">
      {elementWords.funnel}
      <select value={chosen} onChange={(event) => change({ funnel: event.target.value }, { replace: true })}>
        {funnels.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
    </label>
  )
}

function NoElement({ app }: { app: string }): ReactNode {
  return (
    <section className="card wide empty">
      <h2>{elementWords.none}</h2>
      <p>{elementWords.noneHint}</p>
      <AppLink app={app} to="settings">
        {elementWords.toSettings}
      </AppLink>
    </section>
  )
}
