import { useMemo, type ReactNode } from 'react'
import { PageFrame } from '../../frame/page-frame.tsx'
import { CopyButton } from '../../parts/copy-button.tsx'
import { PageTitle } from '../../parts/page-title.tsx'
import { useScope } from '../../state/scope.tsx'
import { useSearchState } from '../../state/use-search.ts'
import { words } from '../../words.ts'
import { CountView } from './count-view.tsx'
import { EventsView } from './events-view.tsx'
import { ExploreSlots } from './explore-slots.tsx'
import { exploreWords } from './explore-words.ts'
import { RetentionView } from './retention-view.tsx'

/** A question of one's own to the archive, in four parts, and the call that asks the same of the API. */
export default function ExplorePage(): ReactNode {
  const { app } = useScope()
  return (
    <PageFrame bar>
      <div className="page-head">
        <div>
          <PageTitle app={app.name}>{exploreWords.title}</PageTitle>
          <p className="hint">{exploreWords.hint}</p>
        </div>
        <div className="end">
          <CopyButton text={() => location.href}>{words.copyLink}</CopyButton>
        </div>
      </div>
      <ExploreSlots />
      <Answer />
    </PageFrame>
  )
}

function Answer(): ReactNode {
  const scope = useScope()
  const { search } = useSearchState()
  const questionScope = useMemo(() => ({ filters: scope.filters, unit: scope.unit, range: scope.range }), [scope])
  if (search.as === 'events') return <EventsView questionScope={questionScope} />
  if (search.as === 'retention') return <RetentionView questionScope={questionScope} />
  return <CountView questionScope={questionScope} />
}
