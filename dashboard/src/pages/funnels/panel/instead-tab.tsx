import { useMemo, type ReactNode } from 'react'
import type { Element, InsteadAnswer, InsteadQuery, InsteadResult, ListedFunnel, PageViews } from '@hopper/contracts'
import { appPath, reportPath } from '../../../api/paths.ts'
import { useSession } from '../../../api/session.tsx'
import { useLongQuery } from '../../../api/use-funnel.ts'
import { useReport } from '../../../api/use-report.ts'
import { formatCount, formatPercent } from '../../../format/numbers.ts'
import { BarsFill } from '../../../parts/bars-fill.tsx'
import { AppLink } from '../../../parts/app-link.tsx'
import { QueryProgress } from '../../../parts/states/query-progress.tsx'
import { ReportView } from '../../../parts/states/report-view.tsx'
import { Skeleton } from '../../../parts/states/skeleton.tsx'
import { useScope } from '../../../state/scope.tsx'
import { words } from '../../../words.ts'
import { pathOf } from '../../connect/proposed-stages.ts'
import { nameOfPlaces, pageGroups } from '../../journeys/journey-places.ts'
import { selectorOf } from '../editor/suggestions.ts'
import { funnelQuestion } from '../funnel-question.ts'
import type { PanelProps } from './panel-props.ts'

/** As many places are shown; the others are one row. */
const SHOWN = 10

/** A place where people went next. */
interface Place {
  readonly name: string
  readonly users: number
  /** the pattern or selector with which it can become a stage */
  readonly pattern?: string
}

/** Shows what those who were lost did instead: the next page and the next click of each. */
export default function InsteadTab({ funnel, rows, of }: PanelProps): ReactNode {
  const scope = useScope()
  const { app, range, live } = scope
  const funnels = useReport<{ funnels: ListedFunnel[] }>(appPath(app.id, 'funnels'))
  const pages = useReport<PageViews>(reportPath(app.id, 'pages/views', range))
  const elements = useReport<{ elements: Element[] }>(appPath(app.id, 'elements'))
  const groups = useMemo(
    () => (funnels.data && pages.data ? pageGroups(funnels.data.funnels, pages.data.rows) : undefined),
    [funnels.data, pages.data],
  )
  const body = useMemo(
    (): InsteadQuery | null =>
      groups
        ? {
            ...funnelQuestion(scope, range, { funnel: funnel.id }),
            step: of.stage,
            outcome: of.outcome,
            groups: groups.map(({ pattern }) => pattern),
          }
        : null,
    [scope, range, funnel.id, of.stage, of.outcome, groups],
  )
  const report = useLongQuery<InsteadAnswer>(appPath(app.id, 'instead/query'), body, live)
  const failed = [funnels, pages].find(({ error }) => error)
  if (failed) return <ReportView<unknown> report={failed}>{() => null}</ReportView>
  const nameOf = nameOfPlaces(groups ?? [], pages.data?.rows ?? [])
  const names = new Map(elements.data?.elements.map(({ xpath, name }) => [xpath, name]))
  const isGroup = (value: string): boolean => groups?.some(({ pattern }) => pattern === value) === true
  const { panel } = words.funnels
  return (
    <>
      <p className="hint">{panel.insteadHint(rows[of.stage - 2]!.name)}</p>
      <QueryProgress report={report} />
      <ReportView report={report} skeleton={<Skeleton height={360} />}>
        {({ people, pages: next, left, clicks, no_click: noClick }) => (
          <>
            <Places
              title={panel.nextPages}
              people={people}
              none={{ name: panel.leftSite, users: left }}
              stage={of.stage}
              funnel={funnel.id}
              places={placesOf(next, (value) => ({
                name: nameOf({ value }),
                pattern: isGroup(value) ? value : pathOf(value),
              }))}
            />
            <Places
              title={panel.nextClicks}
              people={people}
              none={{ name: panel.clickedNothing, users: noClick }}
              stage={of.stage}
              funnel={funnel.id}
              places={placesOf(clicks, (value) => {
                const pattern = selectorOf(value)
                return { name: names.get(value) ?? pattern ?? value, ...(pattern === undefined ? {} : { pattern }) }
              })}
            />
          </>
        )}
      </ReportView>
    </>
  )
}

/** Returns the most frequent places, and the others as one: all of them add up to the same people as before. */
function placesOf(rows: InsteadResult['pages'], describe: (value: string) => Omit<Place, 'users'>): Place[] {
  const selected = rows.filter(({ other }) => !other).slice(0, SHOWN)
  const rest = rows.filter((row) => !selected.includes(row)).reduce((sum, { users }) => sum + users, 0)
  return [
    ...selected.map(({ value, users }) => ({ ...describe(value), users })),
    ...(rest === 0 ? [] : [{ name: words.other, users: rest }]),
  ]
}

interface PlacesProps {
  title: string
  people: number
  none: Place
  places: readonly Place[]
  funnel: string
  /** the stage before which a place is added */
  stage: number
}

function Places({ title, people, none, places, funnel, stage }: PlacesProps): ReactNode {
  const { app } = useScope()
  const { me } = useSession()
  const mayEdit = me.member.role !== 'viewer'
  const { addAsStage, addPlaceAsStage } = words.funnels.panel
  return (
    <section aria-label={title}>
      <h3>{title}</h3>
      <ul className="bars instead">
        {[none, ...places].map(({ name, users, pattern }, i) => (
          <li key={`${i} ${name}`}>
            <BarsFill share={people === 0 ? 0 : users / people} />
            <bdi className="cut" title={name}>
              {name}
            </bdi>
            {mayEdit && pattern !== undefined ? (
              <AppLink
                app={app.id}
                to={`funnels/${encodeURIComponent(funnel)}/edit`}
                search={{ with: [pattern], stage }}
                label={addPlaceAsStage(name)}
              >
                {addAsStage}
              </AppLink>
            ) : (
              <span />
            )}
            <span className="tnum">{formatCount(users)}</span>
            <span className="tnum">{formatPercent(people === 0 ? null : users / people)}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}
