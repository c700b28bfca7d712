import { useState, type FormEvent, type ReactNode } from 'react'
import type { CreatedSharedLink, NewSharedLink } from '@hopper/contracts'
import { appPath } from '../api/paths.ts'
import { useSession } from '../api/session.tsx'
import { CopyText } from '../parts/copy-text.tsx'
import { ModalDialog } from '../parts/modal-dialog.tsx'
import { Problem } from '../parts/states/problem.tsx'
import { useChange } from '../parts/use-change.ts'
import { DEFAULT_RANGE, useScope } from '../state/scope.tsx'
import { useSearchState } from '../state/use-search.ts'
import { words } from '../words.ts'
import { sharingWords } from './shared-words.ts'
import { refusalOf, viewOf, type ViewOfPage } from './view-address.ts'

const DAY_MS = 86_400_000
const DAYS = [1, 7, 30, 90, 365] as const
const DAYS_DEFAULT = 30

interface Props {
  of: ViewOfPage
  name: string
  onClose: () => void
}

/** Makes a link to the view of the page, and shows it once. */
export default function ShareDialog({ of, name, onClose }: Props): ReactNode {
  const scope = useScope()
  const { search } = useSearchState()
  const { client } = useSession()
  const [created, setCreated] = useState<CreatedSharedLink>()
  const { error, busy, run } = useChange(() => undefined)
  const refusal = refusalOf(of, scope, search)
  const view = viewOf(of, scope, search, DEFAULT_RANGE)
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const link = linkOf(new FormData(event.currentTarget), view)
    void run(async () => {
      setCreated(await client.send<CreatedSharedLink>('POST', appPath(scope.app.id, 'shared-links'), link))
    })
  }
  return (
    <ModalDialog label={sharingWords.title} className="share" onClose={onClose}>
      <h2>{sharingWords.title}</h2>
      {created ? (
        <Created link={created} />
      ) : refusal !== undefined ? (
        <p role="alert">{refusal}</p>
      ) : (
        <form className="stack" onSubmit={submit}>
          <p className="hint">{sharingWords.hint}</p>
          {search.by !== undefined && of.page === 'funnel' && view.breakdown === undefined && (
            <p className="hint">{sharingWords.breakdown}</p>
          )}
          <label>
            {sharingWords.name}
            <input name="name" defaultValue={name} maxLength={200} required autoFocus />
          </label>
          <label>
            {sharingWords.ends}
            <select name="days" defaultValue={DAYS_DEFAULT}>
              {DAYS.map((days) => (
                <option key={days} value={days}>
                  {sharingWords.days(days)}
                </option>
              ))}
            </select>
          </label>
          <label>
            {sharingWords.password}
            <input name="password" type="password" autoComplete="new-password" minLength={10} maxLength={200} />
          </label>
          <label>
            {sharingWords.origins}
            <textarea name="origins" rows={2} placeholder={sharingWords.originsHint} spellCheck={false} />
          </label>
          {error && <Problem error={error} />}
          <button type="submit" className="primary" disabled={busy}>
            {sharingWords.create}
          </button>
        </form>
      )}
      <button type="button" onClick={onClose}>
        {words.close}
      </button>
    </ModalDialog>
  )
}

function Created({ link }: { link: CreatedSharedLink }): ReactNode {
  return (
    <div className="once" role="status">
      <p>
        <b>{sharingWords.once}</b>
      </p>
      <CopyText text={link.url} label={sharingWords.link} />
      {link.frame_url !== undefined && <CopyText text={frameOf(link.frame_url)} label={sharingWords.frame} />}
    </div>
  )
}

/** The address is made by Hopper and has no character that ends an attribute. */
function frameOf(url: string): string {
  return `<iframe src="${url}" width="100%" height="800" style="border:0" loading="lazy"></iframe>`
}

function linkOf(form: FormData, view: NewSharedLink['view']): NewSharedLink {
  const text = (name: string): string => (form.get(name) as string).trim()
  const password = form.get('password') as string
  const origins = text('origins').split(/\s+/).filter(Boolean)
  return {
    name: text('name'),
    view,
    ends_at: Date.now() + Number(text('days')) * DAY_MS,
    ...(password === '' ? {} : { password }),
    ...(origins.length === 0 ? {} : { frame_origins: origins }),
  }
}
