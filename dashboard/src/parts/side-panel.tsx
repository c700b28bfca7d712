import { useEffect, useRef, type ReactNode } from 'react'
import { X } from 'lucide-react'
import { formatCount } from '../format/numbers.ts'
import { useScope } from '../state/scope.tsx'
import { useSearchState, type SearchChange } from '../state/use-search.ts'
import { words } from '../words.ts'
import { Icon } from './icon.tsx'

interface Props {
  /** identifies the content: the button that opens it has this in `data-opens`, and gets the focus back */
  opens: string
  /** the change of the address that closes the panel */
  closed: SearchChange
  title: ReactNode
  /** people, devices or sessions */
  users: number
  children: ReactNode
}

/** The panel beside a report: what part of it is shown in detail, and how many people that are. */
export function SidePanel({ opens, closed, title, users, children }: Props): ReactNode {
  const { unit } = useScope()
  const { change } = useSearchState()
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => heading.current?.focus({ preventScroll: true }), [opens])
  const close = (): void => {
    const opener = document.querySelector<HTMLElement>(`[data-opens="${CSS.escape(opens)}"]`)
    change(closed)
    opener?.focus()
  }
  return (
    <aside
      className="panel"
      aria-labelledby="panel-title"
      onKeyDown={(event) => {
        if (event.key === 'Escape') close()
      }}
    >
      <header>
        <h2 id="panel-title" ref={heading} tabIndex={-1}>
          {title}
        </h2>
        <button type="button" className="plain" aria-label={words.close} onClick={close}>
          <Icon of={X} />
        </button>
      </header>
      <p className="panel-count tnum">
        {formatCount(users)} <span>{words.units[unit].of(users)}</span>
      </p>
      {children}
    </aside>
  )
}
