import type { ReactNode } from 'react'
import type { Status } from '@hopper/contracts'
import { formatInstant } from '../../format/times.ts'
import { Card } from '../../parts/card.tsx'
import { systemWords } from './system-words.ts'

const { engines: texts } = systemWords

/** Lists the version of Hopper and the engines that hold its data. */
export function EnginesCard({ status, timezone }: { status: Status; timezone: string }): ReactNode {
  const { version, mode, started_at: since, engines } = status
  return (
    <Card title={texts.title}>
      <p>
        {texts.version(version, mode)} <span className="hint">{texts.since(formatInstant(timezone, since))}</span>
      </p>
      <ul className="engines">
        {engines.map(({ name, healthy, detail }) => (
          <li key={name}>
            <span className={healthy ? 'badge settled' : 'badge bad'}>
              {healthy ? texts.healthy : texts.notHealthy}
            </span>{' '}
            <b>{name}</b>
            {detail !== undefined && (
              <span className="hint">
                {' '}
                <bdi>{detail}</bdi>
              </span>
            )}
          </li>
        ))}
      </ul>
    </Card>
  )
}
