import { useMemo, type ReactNode } from 'react'
import { PageFrame } from '../../frame/page-frame.tsx'
import { CopyButton } from '../../parts/buttons/copy-button.tsx'
import { useShared } from '../../api/session.tsx'
import { PageTitle } from '../../parts/page-title.tsx'
import { ShareButton } from '../../shared/share-button.tsx'
import { useScope } from '../../state/scope.tsx'
import { useSearchState } from '../../state/use-search.ts'
import { words } from '../../words.ts'
import { CountView } from './count-view.tsx'
import { EventsView } from './events-view.tsx'
import { ExploreSlots } from './explore-slots.tsx'
import { exploreWords } from './explore-words.ts'
import { RetentionView } from './retention-view.tsx'

/** A query that the user puts together from four parts, its answer, and the API call that returns the same. */
export default function ExplorePage(): ReactNode {
  const { app } = useScope()
  const shared = useShared()
  return (
    <PageFrame bar>
      <div className="page-head">
        <div>
          <PageTitle app={app.name}>{exploreWords.title}</PageTitle>
          {!shared && <p className="hint">{exploreWords.hint}</p>}
        </div>
        <div className="end">
          {!shared && <CopyButton text={() => location.href}>{words.copyLink}</CopyButton>}
          <ShareButton of={{ page: 'explore' }} name={exploreWords.title} />
        </div>
      </div>
      {!shared && <ExploreSlots />}
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
