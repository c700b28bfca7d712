import type { ReactNode } from 'react'
import { CircleAlert, CircleCheck, Clock } from 'lucide-react'
import { Icon } from '../../parts/icon.tsx'
import { systemWords } from './system-words.ts'
import type { Verdict } from './verdict.ts'

const icons = { healthy: CircleCheck, behind: Clock, attention: CircleAlert }

/** The state of the installation in a sentence. Only what needs attention is red. */
export function VerdictCard({ verdict: { level, problems, facts } }: { verdict: Verdict }): ReactNode {
  return (
    <section className={`card wide verdict ${level}`} aria-label={systemWords.title}>
      <Icon of={icons[level]} size={20} />
      <div>
        <p className="verdict-text">
          <b>{systemWords.levels[level]}</b> <bdi>{facts.join(' ')}</bdi>
        </p>
        {problems.length > 0 && (
          <ul className="verdict-problems">
            {problems.map((problem) => (
              <li key={problem}>
                <bdi>{problem}</bdi>
              </li>
            ))}
          </ul>
        )}
      </div>
    </section>
  )
}
