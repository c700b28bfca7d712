import type { ReactNode } from 'react'
import type { ElementHovers } from '@hopper/contracts'
import { formatCount, formatDuration, formatPercent } from '../format/numbers.ts'
import { words } from '../words.ts'

interface Props {
  groups: readonly { readonly name: string; readonly hovers: ElementHovers }[]
  /** heading of the column with the number of people; without it there is no such column */
  people?: string
}

/** Compares groups of people by how they look at an element and click it. */
export function HesitationTable({ groups, people }: Props): ReactNode {
  const { times, clickedShare, beforeClick, beforeLeaving } = words.funnels.panel
  return (
    <table className="hesitation">
      <thead>
        <tr>
          <td />
          {[...(people === undefined ? [] : [people]), times, clickedShare, beforeClick, beforeLeaving].map((name) => (
            <th key={name} scope="col" className="number">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {groups.map(({ name, hovers }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            {people !== undefined && <td className="number">{formatCount(hovers.people)}</td>}
            <td className="number">{formatCount(hovers.hovers)}</td>
            <td className="number">{formatPercent(hovers.clicked_share)}</td>
            <td className="number">{formatDuration(hovers.median_click_ms)}</td>
            <td className="number">{formatDuration(hovers.median_leave_ms)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
