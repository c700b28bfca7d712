import type { ReactNode } from 'react'
import type { Hesitation } from '@hopper/contracts'
import { formatDuration, formatPercent } from '../format/numbers.ts'
import { hoverBins } from './hover-bins.ts'

interface Props {
  label: string
  groups: readonly { readonly name: string; readonly tone: 'reached' | 'lost'; readonly hesitation: Hesitation }[]
}

/** Bars of two groups side by side, by how long people looked. The title of a bin contains its numbers. */
export function HoverHistogram({ label, groups }: Props): ReactNode {
  const bins = hoverBins(groups.map(({ hesitation }) => hesitation))
  const most = Math.max(...bins.flatMap(({ shares }) => shares), 1e-9)
  return (
    <figure className="histogram">
      <figcaption>
        {label}
        <ul>
          {groups.map(({ name, tone }) => (
            <li key={name}>
              <span className={`key ${tone}`} aria-hidden="true" />
              {name}
            </li>
          ))}
        </ul>
      </figcaption>
      <ol>
        {bins.map(({ from_ms, to_ms, shares }) => (
          <li key={from_ms}>
            <span className="unseen">
              {`${formatDuration(from_ms)} – ${formatDuration(to_ms)}: `}
              {groups.map(({ name }, index) => `${name} ${formatPercent(shares[index]!)}`).join(', ')}
            </span>
            <span className="bars" aria-hidden="true">
              {shares.map((share, index) => (
                <span
                  key={index}
                  className={groups[index]!.tone}
                  title={`${groups[index]!.name}: ${formatPercent(share)}`}
                  style={{ height: `${(share / most) * 100}%` }}
                />
              ))}
            </span>
            <small aria-hidden="true">{formatDuration(from_ms)}</small>
          </li>
        ))}
      </ol>
    </figure>
  )
}
