import type { ReactNode } from 'react'
import type { Line } from './line-chart.tsx'

/** The names of lines beside their colours. */
export function LineLegend({ lines }: { lines: readonly Pick<Line, 'name' | 'color'>[] }): ReactNode {
  return (
    <p className="legend">
      {lines.map(({ name, color }) => (
        <span key={name} style={{ '--legend': `var(${color})` } as object}>
          <bdi>{name}</bdi>
        </span>
      ))}
    </p>
  )
}
