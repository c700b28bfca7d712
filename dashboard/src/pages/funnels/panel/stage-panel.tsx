import { lazy, Suspense, useMemo, type KeyboardEvent, type ReactNode } from 'react'
import type { FunnelAnswer, ListedFunnel } from '@hopper/contracts'
import { SidePanel } from '../../../parts/side-panel.tsx'
import { Skeleton } from '../../../parts/states/skeleton.tsx'
import type { PanelTab } from '../../../state/search.ts'
import { useSearchState } from '../../../state/use-search.ts'
import { keyName, valueName, words } from '../../../words.ts'
import { valueText } from '../breakdown.ts'
import type { PeopleOf } from '../funnel-question.ts'
import { closedPanel, panelKey } from '../stage-list.tsx'
import { stageRows, type StageRow } from '../stage-rows.ts'
import { DefinitionTab } from './definition-tab.tsx'

const PeopleTab = lazy(() => import('./people-tab.tsx'))
const HesitationTab = lazy(() => import('./hesitation-tab.tsx'))
const InsteadTab = lazy(() => import('./instead-tab.tsx'))
const DifferencesTab = lazy(() => import('./differences-tab.tsx'))

type BreakdownAnswerRow = NonNullable<FunnelAnswer['breakdown']>[number]

interface Props {
  funnel: ListedFunnel
  answer: FunnelAnswer
  /** from 1 */
  stage: number
}

/** Everything about one number of the funnel: who, how they differ, and what exactly it means. */
export default function StagePanel({ funnel, answer, stage }: Props): ReactNode {
  const { search, change } = useSearchState()
  const one = search.by === undefined ? undefined : rowOf(answer, search.value)
  const rows = stageRows((one ?? answer).steps)
  const row = rows[stage - 1]!
  const of = useMemo(
    (): PeopleOf => ({
      stage,
      outcome: search.show === 'lost' && stage > 1 ? (search.cause ?? 'dropped') : 'reached',
      ...(one ? { value: { breakdown: search.by!, value: one.value } } : {}),
    }),
    [stage, search.show, search.cause, search.by, one],
  )
  const tabs = tabsOf(of)
  const tab = tabs.find((one) => one === search.tab) ?? 'people'
  return (
    <SidePanel
      opens={panelKey(search)}
      closed={closedPanel}
      title={<bdi>{titleOf(row, of)}</bdi>}
      users={countOf(row, of)}
    >
      <Tabs tabs={tabs} chosen={tab} choose={(next) => change({ tab: next === 'people' ? undefined : next })} />
      <div role="tabpanel" id="panel-body" aria-labelledby={`tab-${tab}`} className="panel-body" tabIndex={0}>
        <Suspense fallback={<Skeleton height={240} />}>
          {tab === 'people' && <PeopleTab funnel={funnel} rows={rows} of={of} />}
          {tab === 'instead' && <InsteadTab funnel={funnel} rows={rows} of={of} />}
          {tab === 'differences' && <DifferencesTab funnel={funnel} rows={rows} of={of} />}
          {tab === 'hesitation' && <HesitationTab funnel={funnel} rows={rows} of={of} />}
          {tab === 'definition' && <DefinitionTab funnel={funnel} rows={rows} of={of} />}
        </Suspense>
      </div>
    </SidePanel>
  )
}

function Tabs({
  tabs,
  chosen,
  choose,
}: {
  tabs: readonly PanelTab[]
  chosen: PanelTab
  choose: (tab: PanelTab) => void
}): ReactNode {
  const onKeyDown = (event: KeyboardEvent<HTMLElement>): void => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
    if (step === undefined) return
    event.preventDefault()
    const next = tabs[(tabs.indexOf(chosen) + step + tabs.length) % tabs.length]!
    choose(next)
    document.getElementById(`tab-${next}`)?.focus()
  }
  return (
    <div role="tablist" className="tabs" aria-labelledby="panel-title" onKeyDown={onKeyDown}>
      {tabs.map((tab) => (
        <button
          key={tab}
          id={`tab-${tab}`}
          type="button"
          role="tab"
          aria-selected={tab === chosen}
          aria-controls="panel-body"
          tabIndex={tab === chosen ? 0 : -1}
          onClick={() => choose(tab)}
        >
          {words.funnels.panel.tabs[tab]}
        </button>
      ))}
    </div>
  )
}

/** Only those who were lost did something instead, and differ from somebody. */
function tabsOf({ outcome, value }: PeopleOf): PanelTab[] {
  if (value) return ['people']
  return outcome === 'reached'
    ? ['people', 'hesitation', 'definition']
    : ['people', 'instead', 'differences', 'hesitation', 'definition']
}

function titleOf(row: StageRow, { outcome, value: of }: PeopleOf): string {
  const { reached, dropped, cause } = words.funnels.panel
  if (of) return `${reached(row.name)}, ${keyName(of.breakdown)}: ${valueName(of.value)}`
  if (outcome === 'reached') return reached(row.name)
  return outcome === 'dropped' ? dropped(row.name) : cause(words.causes[outcome], row.name)
}

/** Returns the row of a breakdown whose value the address has. */
function rowOf({ breakdown }: FunnelAnswer, text: string | undefined): BreakdownAnswerRow | undefined {
  return text === undefined
    ? undefined
    : breakdown?.find(({ value, other }) => other !== true && valueText(value) === text)
}

/** Returns the number that was pressed: the panel lists exactly that many people. */
function countOf(row: StageRow, { outcome }: PeopleOf): number {
  if (outcome === 'reached') return row.count
  if (outcome === 'dropped') return row.lost + row.deciding
  return outcome === 'open' ? row.deciding : (row.causes.find(({ cause }) => cause === outcome)?.count ?? 0)
}
