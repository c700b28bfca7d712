import type { ReactNode } from 'react'
import { useParams } from '@tanstack/react-router'
import type { ListedFunnel } from '@hopper/contracts'
import { ApiError } from '../../api/client.ts'
import { appPath, reportPath } from '../../api/paths.ts'
import { useSession } from '../../api/session.tsx'
import { usePages } from '../../api/use-pages.ts'
import { useReport } from '../../api/use-report.ts'
import { formatCount } from '../../format/numbers.ts'
import { shownId } from '../../format/persons.ts'
import { formatInstant } from '../../format/times.ts'
import { NotFound } from '../../frame/not-found.tsx'
import { PageFrame } from '../../frame/page-frame.tsx'
import { AppLink } from '../../parts/app-link.tsx'
import { MiddleCut } from '../../parts/middle-cut.tsx'
import { PageTitle } from '../../parts/page-title.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { Skeleton } from '../../parts/states/skeleton.tsx'
import { useScope } from '../../state/scope.tsx'
import { useSearchState } from '../../state/use-search.ts'
import { words } from '../../words.ts'
import { Certificate } from './certificate.tsx'
import { ForgetButton } from './forget-button.tsx'
import { PersonFunnel } from './person-funnel.tsx'
import { PersonVisits } from './person-visits.tsx'
import { attributesOf, type Attributes, type Person } from './persons.ts'

const PER_PAGE = 100

/** One person: devices, traits, visits, and how far it came in each funnel. */
export default function PersonPage(): ReactNode {
  const { app, range, live } = useScope()
  const { me } = useSession()
  const { search } = useSearchState()
  const { person: id } = useParams({ from: '/a/$app/people/$person' })
  const report = usePages<Person>(
    reportPath(app.id, `persons/${encodeURIComponent(id)}`, range, { limit: String(PER_PAGE) }),
    live,
  )
  const mayForget = me.member.role !== 'viewer'
  const isUnknown = report.error instanceof ApiError && report.error.status === 404
  return (
    <PageFrame bar>
      {isUnknown && search.forget === undefined ? (
        <NotFound title={words.people.noPerson(shownId(id))} hint={words.people.noPersonHint}>
          <AppLink app={app.id} to="people">
            {words.people.all}
          </AppLink>
        </NotFound>
      ) : (
        <>
          <div className="page-head">
            <PageTitle app={app.name}>{shownId(id)}</PageTitle>
            {mayForget && !isUnknown && (
              <div className="end">
                <ForgetButton id={id} />
              </div>
            )}
          </div>
          {search.forget !== undefined && mayForget && <Certificate forget={search.forget} />}
          {!isUnknown && (
            <ReportView report={report} skeleton={<Skeleton height={480} />}>
              {(pages) => (
                <div className="cards">
                  <Facts person={pages[0]!} />
                  <Funnels id={pages[0]!.id} />
                  <PersonVisits
                    timeline={pages.flatMap(({ timeline }) => timeline)}
                    hasMore={report.hasMore}
                    isLoading={report.isLoadingMore}
                    more={report.more}
                  />
                </div>
              )}
            </ReportView>
          )}
        </>
      )}
    </PageFrame>
  )
}

function Facts({ person: { users, devices, traits, properties, events } }: { person: Person }): ReactNode {
  const { app } = useScope()
  const text = words.people
  return (
    <section className="card" aria-label={text.about}>
      <header>
        <h2>{text.about}</h2>
      </header>
      <p className="hint">{text.eventsHere(events)}</p>
      <h3>{text.devices}</h3>
      <ul className="devices">
        {devices.map(({ device_id: device, last, events: own }) => (
          <li key={device}>
            <MiddleCut text={device} />
            <small>{text.deviceUse(formatCount(own), formatInstant(app.timezone, last))}</small>
          </li>
        ))}
      </ul>
      {users.length > 1 && (
        <p className="hint">
          <bdi>{text.usedBy(users)}</bdi>
        </p>
      )}
      <AttributeList name={text.traits} of={traits} none={text.noTraits} />
      <AttributeList name={text.properties} of={properties} none={text.noProperties} />
    </section>
  )
}

function AttributeList({ name, of, none }: { name: string; of: Attributes; none: string }): ReactNode {
  const all = attributesOf(of)
  return (
    <>
      <h3>{name}</h3>
      {all.length === 0 ? (
        <p className="nothing">{none}</p>
      ) : (
        <dl className="attributes">
          {all.map(([key, value]) => (
            <div key={key}>
              <dt>
                <bdi>{key}</bdi>
              </dt>
              <dd>
                <bdi>{value}</bdi>
              </dd>
            </div>
          ))}
        </dl>
      )}
    </>
  )
}

function Funnels({ id }: { id: string }): ReactNode {
  const { app } = useScope()
  const report = useReport<{ funnels: ListedFunnel[] }>(appPath(app.id, 'funnels'))
  return (
    <section className="card" aria-label={words.people.inFunnels}>
      <header>
        <h2>{words.people.inFunnels}</h2>
      </header>
      <ReportView report={report} skeleton={<Skeleton height={80} />}>
        {({ funnels }) => (
          <ul className="person-funnels">
            {funnels.map((funnel) => (
              <PersonFunnel key={funnel.id} id={id} funnel={funnel} />
            ))}
          </ul>
        )}
      </ReportView>
    </section>
  )
}
