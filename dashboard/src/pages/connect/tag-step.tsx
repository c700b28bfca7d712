import { useState, type ReactNode } from 'react'
import { appPath } from '../../api/paths.ts'
import { useSession } from '../../api/session.tsx'
import { useReport } from '../../api/use-report.ts'
import { CopyText } from '../../parts/copy-text.tsx'
import { Problem } from '../../parts/states/problem.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { Skeleton } from '../../parts/states/skeleton.tsx'
import { useChange } from '../../parts/use-change.ts'
import { useScope } from '../../state/scope.tsx'
import { words } from '../../words.ts'
import { tagOf, ways, type Way } from './tags.ts'

interface Key {
  readonly id: string
  readonly power: string
  /** of write keys, which are public */
  readonly key?: string
}

/** The tag with a key that works, for several ways to put it on a site. */
export function TagStep(): ReactNode {
  const { app } = useScope()
  const { me, client } = useSession()
  const mayRead = me.member.role !== 'viewer'
  const path = appPath(app.id, 'keys')
  const keys = useReport<{ keys: readonly Key[] }>(mayRead ? path : null)
  const [made, setMade] = useState<string>()
  const { error, busy, run } = useChange(keys.reload)
  if (!mayRead) return <p>{words.connect.askForKey}</p>
  return (
    <>
      {error && <Problem error={error} />}
      <ReportView report={keys} skeleton={<Skeleton height={120} />}>
        {({ keys: all }) => {
          const key = made ?? all.find(({ power, key: text }) => power === 'write' && text !== undefined)?.key
          if (key !== undefined) return <Tags writeKey={key} />
          return (
            <>
              <p>{words.connect.noKey}</p>
              <button
                type="button"
                className="primary"
                disabled={busy}
                onClick={() =>
                  void run(async () =>
                    setMade((await client.send<{ key: string }>('POST', path, { power: 'write' })).key),
                  )
                }
              >
                {words.connect.makeKey}
              </button>
            </>
          )
        }}
      </ReportView>
    </>
  )
}

function Tags({ writeKey }: { writeKey: string }): ReactNode {
  const { ingest_url: origin = location.origin } = useSession().me
  const [way, setWay] = useState<Way>('html')
  return (
    <>
      <div className="switch" role="group" aria-label={words.connect.tagStep}>
        {ways.map((one) => (
          <button key={one} type="button" aria-pressed={one === way} onClick={() => setWay(one)}>
            {words.connect.ways[one]}
          </button>
        ))}
      </div>
      <p className="hint">{words.connect.hints[way]}</p>
      <CopyText text={tagOf(way, origin, writeKey)} label={words.connect.ways[way]} />
    </>
  )
}
