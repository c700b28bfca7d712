import { useState, type ReactNode } from 'react'
import type { DeadLetterReason } from '@hopper/contracts'
import { useSession } from '../../api/session.tsx'
import { useReport } from '../../api/use-report.ts'
import { formatBytes, formatCount } from '../../format/numbers.ts'
import { formatInstant } from '../../format/times.ts'
import { Card } from '../../parts/card.tsx'
import { AskButton } from '../../parts/buttons/ask-button.tsx'
import { Problem } from '../../parts/states/problem.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { Skeleton } from '../../parts/states/skeleton.tsx'
import { useChange } from '../../parts/use-change.ts'
import { systemWords } from './system-words.ts'

/** `GET /api/v1/dead-letters`. */
interface Letters {
  readonly rows: readonly Letter[]
  readonly next: string | null
}

interface Letter {
  readonly lane: number
  readonly position: number
  readonly reason: DeadLetterReason
  readonly detail: string
  readonly app: string | null
  readonly received_at: number | null
  readonly bytes: number
  readonly text?: string
  readonly base64?: string
}

interface Replayed {
  readonly replayed: number
  readonly left: readonly { readonly why: string }[]
}

const PAGE = 20
const PAGE_MAX = 100
/** A message may have a megabyte; more than this is for the command line. */
const SHOWN_CHARS_MAX = 20_000
const { letters: texts } = systemWords

interface Props {
  count: number
  timezone: string
  /** called when the number of letters has changed */
  reload: () => void
}

/** Messages that could not be counted, each with its reason and its content; replayed by those who may. */
export function LettersCard({ count, timezone, reload }: Props): ReactNode {
  const { me } = useSession()
  if (me.member.role === 'viewer')
    return (
      <Card title={texts.title} hint={texts.hint} size="wide">
        <p className="nothing">{count === 0 ? texts.empty : texts.forAdmins(formatCount(count))}</p>
      </Card>
    )
  return <LetterList timezone={timezone} changed={reload} />
}

function LetterList({ timezone, changed }: { timezone: string; changed: () => void }): ReactNode {
  const { client } = useSession()
  const [limit, setLimit] = useState(PAGE)
  const [replayed, setReplayed] = useState<Replayed>()
  const report = useReport<Letters>(`/api/v1/dead-letters?limit=${limit}`, true)
  const change = useChange(() => {
    report.reload()
    changed()
  })
  const replay = ({ lane, position }: Letter): void =>
    void change.run(async () =>
      setReplayed(await client.send<Replayed>('POST', '/api/v1/dead-letters/replay', { lane, positions: [position] })),
    )
  return (
    <Card title={texts.title} hint={texts.hint} size="wide" stale={report.stale}>
      {change.error && <Problem error={change.error} />}
      <div role="status">
        {replayed && (
          <p className="once">
            {replayed.replayed > 0
              ? `${texts.replayed(replayed.replayed)} ${texts.appended}`
              : texts.left(replayed.left[0]?.why ?? '')}
          </p>
        )}
      </div>
      <ReportView report={report} skeleton={<Skeleton height={60} />}>
        {({ rows, next }) => (
          <>
            {rows.length === 0 && <p className="nothing">{texts.empty}</p>}
            <ul className="letters">
              {rows.map((letter) => (
                <li key={`${letter.lane}.${letter.position}`}>
                  <LetterItem letter={letter} timezone={timezone} replay={() => replay(letter)} />
                </li>
              ))}
            </ul>
            {next !== null && limit < PAGE_MAX && (
              <button type="button" className="quiet" onClick={() => setLimit(PAGE_MAX)}>
                {texts.more}
              </button>
            )}
          </>
        )}
      </ReportView>
    </Card>
  )
}

interface ItemProps {
  letter: Letter
  timezone: string
  replay: () => void
}

function LetterItem({ letter, timezone, replay }: ItemProps): ReactNode {
  const { lane, position, reason, detail, app, received_at: at, bytes, text, base64 } = letter
  const place = texts.place(lane, position)
  return (
    <>
      <div className="alert-head">
        <h3>
          <bdi>{app ?? texts.noApp}</bdi>
        </h3>
        <span className="badge bad">{texts.reasons[reason]}</span>
        <span className="hint">{at === null ? place : `${formatInstant(timezone, at)} · ${place}`}</span>
        <span className="list-actions">
          <AskButton
            label={texts.replayOne(place)}
            verb={texts.replay}
            consequence={texts.replaying}
            onConfirm={replay}
          />
        </span>
      </div>
      <p className="alert-line">
        <bdi>{detail}</bdi>
      </p>
      <details className="folded">
        <summary>{texts.show(formatBytes(bytes))}</summary>
        {text === undefined && <p className="hint">{texts.binary}</p>}
        <pre className="message" dir="ltr" tabIndex={0}>
          {(text ?? base64 ?? '').slice(0, SHOWN_CHARS_MAX)}
        </pre>
      </details>
    </>
  )
}
