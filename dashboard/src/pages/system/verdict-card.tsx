import type { ReactNode } from 'react'
import { CircleAlert, CircleCheck, Clock } from 'lucide-react'
import { Icon } from '../../parts/icon.tsx'
import { systemWords } from './system-words.ts'
import type { Verdict } from './verdict.ts'

const icons = { healthy: CircleCheck, behind: Clock, hand: CircleAlert }

/** The state of the installation in a sentence. Only what needs a hand is red. */
export function VerdictCard({ verdict: { level, hands, facts } }: { verdict: Verdict }): ReactNode {
  return (
    <section className={`card wide verdict ${level}`} aria-label={systemWords.title}>
      <Icon of={icons[level]} size={20} />
      <div>
        <p className="verdict-text">
          <b>{systemWords.levels[level]}</b> <bdi>{facts.join(' ')}</bdi>
        </p>
        {hands.length > 0 && (
          <ul className="hands">
            {hands.map((hand) => (
              <li key={hand}>
                <bdi>{hand}</bdi>
              </li>
            ))}
          </ul>
        )}
      </div>
    </section>
  )
}
