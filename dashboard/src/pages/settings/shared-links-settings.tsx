import type { ReactNode } from 'react'
import type { LockedFilter, SharedLinks, SharedLinkView } from '@hopper/contracts'
import { appPath } from '../../api/paths.ts'
import { useSession } from '../../api/session.tsx'
import { useReport } from '../../api/use-report.ts'
import { formatInstant, localZone } from '../../format/times.ts'
import { Card } from '../../parts/card.tsx'
import { AskButton } from '../../parts/buttons/ask-button.tsx'
import { Problem } from '../../parts/states/problem.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { useChange } from '../../parts/use-change.ts'
import { sharingWords } from '../../shared/shared-words.ts'

/** The shared links of an app: what each shows, until when, and when it was last used. */
export function SharedLinksSettings({ app }: { app: string }): ReactNode {
  const { client } = useSession()
  const links = useReport<SharedLinks>(appPath(app, 'shared-links'))
  const { error, run } = useChange(links.reload)
  const end = (id: string): void => void run(() => client.send('DELETE', appPath(app, `shared-links/${id}`)))
  return (
    <Card title={sharingWords.listTitle} hint={sharingWords.listHint} size="wide">
      {error && <Problem error={error} />}
      <ReportView report={links}>
        {({ links: all }) =>
          all.length === 0 ? (
            <p className="nothing">{sharingWords.none}</p>
          ) : (
            <ul className="list shared-links">
              {all.map((link) => (
                <LinkItem key={link.id} link={link} end={() => end(link.id)} />
              ))}
            </ul>
          )
        }
      </ReportView>
    </Card>
  )
}

function LinkItem({ link, end }: { link: SharedLinkView; end: () => void }): ReactNode {
  const { name, view, has_password, frame_origins: sites, created_by, created_at, ends_at, used_at } = link
  const time = (at: number): string => formatInstant(localZone, at)
  const hasEnded = ends_at <= Date.now()
  const facts = [
    sharingWords.pages[view.page] + (view.funnel === undefined ? '' : ` ${view.funnel}`),
    view.range,
    ...[view.event ?? [], view.again ?? [], view.filters ?? []].flat().map(conditionText),
    ...(has_password ? [sharingWords.withPassword] : []),
    ...(sites.length > 0 ? [sharingWords.embedded(sites.join(', '))] : []),
    hasEnded ? sharingWords.endedAt(time(ends_at)) : sharingWords.endsAt(time(ends_at)),
    used_at === undefined ? sharingWords.unused : sharingWords.used(time(used_at)),
    sharingWords.created(time(created_at), created_by),
  ]
  return (
    <li>
      <b>
        <bdi>{name}</bdi>
      </b>{' '}
      <span className="hint">
        <bdi>{facts.join(' · ')}</bdi>
      </span>
      <span className="list-actions">
        <AskButton
          label={hasEnded ? sharingWords.removeOf(name) : sharingWords.endOf(name)}
          consequence={hasEnded ? sharingWords.removal : sharingWords.ending}
          verb={hasEnded ? sharingWords.remove : sharingWords.end}
          onConfirm={end}
        />
      </span>
    </li>
  )
}

function conditionText({ key, value, not }: LockedFilter): string {
  return `${key} ${not ? '≠' : '='} ${value}`
}
