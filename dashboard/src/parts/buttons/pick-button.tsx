import { useEffect, useId, useState, type ReactNode } from 'react'
import { useQuery } from '@tanstack/react-query'
import type { App, PageViews, PickedElement } from '@hopper/contracts'
import { appPath, reportPath } from '../../api/paths.ts'
import { useSession } from '../../api/session.tsx'
import { useReport } from '../../api/use-report.ts'
import { shiftDate } from '../../state/date-range.ts'
import { useScope } from '../../state/scope.tsx'
import { pickerWords } from '../picker-words.ts'
import { PopoverButton } from './popover-button.tsx'
import { Problem } from '../states/problem.tsx'
import { useChange } from '../use-change.ts'

/** Days of which pages are offered: those whose hosts the API accepts for an app without origins. */
const PAST_DAYS = 7
const PAGES_SHOWN = 50
/** Interval of asking, while the tab is visible, for what was picked; a link lives for ten minutes. */
const ASK_MS = 1_500

const none: readonly string[] = []

interface Link {
  readonly id: string
  readonly url: string
  readonly expires_at: string
}

interface Props {
  /** the name of the button, where several do the same */
  label: string
  picked: (element: PickedElement) => void
}

/** A button that opens a page of the customer's site to pick an element there. */
export function PickButton({ label, picked }: Props): ReactNode {
  return (
    <PopoverButton button={pickerWords.button} label={label} className="small">
      {(close) => (
        <PickOnPage
          picked={(element) => {
            close()
            picked(element)
          }}
        />
      )}
    </PopoverButton>
  )
}

function PickOnPage({ picked }: Pick<Props, 'picked'>): ReactNode {
  const { app, today } = useScope()
  const { client } = useSession()
  const listId = useId()
  const range = { from: shiftDate(today, 1 - PAST_DAYS), to: today }
  const seen = useReport<PageViews>(reportPath(app.id, 'pages/views', range)).data?.rows
  const origins = useReport<App>(`/api/v1/apps/${encodeURIComponent(app.id)}`).data?.origins ?? none
  const pages = (seen ?? []).slice(0, PAGES_SHOWN).map(({ url }) => addressOf(url, origins))
  const [typed, setTyped] = useState<string>()
  const [link, setLink] = useState<Link>()
  const { error, busy, run } = useChange(() => undefined)
  const address = typed ?? pages[0] ?? origins[0] ?? ''
  // only admins may create a link; a form must not be inside of another form
  const getLink = (): Promise<unknown> =>
    run(async () => setLink(await client.send<Link>('POST', appPath(app.id, 'picker-links'), { url: address })))
  return (
    <>
      <p className="hint">{pickerWords.hint}</p>
      <label className="field">
        {pickerWords.page}
        <input
          type="url"
          value={address}
          list={listId}
          maxLength={2048}
          spellCheck={false}
          onChange={(event) => {
            setTyped(event.target.value)
            setLink(undefined)
          }}
        />
      </label>
      <datalist id={listId}>
        {pages.map((page) => (
          <option key={page} value={page} />
        ))}
      </datalist>
      {error && <Problem error={error} />}
      {link ? (
        <Waiting key={link.id} link={link} picked={picked} />
      ) : (
        <button type="button" className="primary" disabled={busy || address === ''} onClick={() => void getLink()}>
          {pickerWords.getLink}
        </button>
      )}
    </>
  )
}

/** Shows the link, and waits for the element that somebody picks there. */
function Waiting({ link, picked }: { link: Link; picked: Props['picked'] }): ReactNode {
  const { app } = useScope()
  const { client } = useSession()
  const { data, error } = useQuery({
    queryKey: ['pick', app.id, link.id],
    queryFn: ({ signal }) =>
      client.get<{ picked?: PickedElement }>(appPath(app.id, `picks/${encodeURIComponent(link.id)}`), signal),
    refetchInterval: ({ state }) => (state.data?.picked || state.error ? false : ASK_MS),
    refetchOnWindowFocus: 'always',
    retry: false,
  })
  const found = data?.picked
  useEffect(() => {
    if (found) picked(found)
    // once for each link: the parent makes another function each time it is drawn
  }, [found])
  return (
    <>
      <a className="button primary" href={link.url} target="_blank" rel="noopener noreferrer">
        {pickerWords.open}
      </a>
      {error ? (
        <Problem error={error} />
      ) : (
        <div role="status">
          <p className="waiting">{pickerWords.waiting}</p>
          <p className="hint">{pickerWords.waitingHint}</p>
        </div>
      )}
    </>
  )
}

/** Returns the address of a page as it was seen, `shop.example/cart`, with the scheme that its origin has. */
function addressOf(page: string, origins: readonly string[]): string {
  const host = page.split('/', 1)[0]!
  const origin = origins.find((each) => URL.parse(each)?.host === host)
  if (origin !== undefined) return origin + page.slice(host.length)
  return `${/^(localhost|127\.0\.0\.1)(:|$)/.test(host) ? 'http' : 'https'}://${page}`
}
