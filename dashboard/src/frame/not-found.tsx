import type { ReactNode } from 'react'
import { PageTitle } from '../parts/page-title.tsx'

/** Shows that an address leads nowhere, and shows ways out. */
export function NotFound({ title, hint, children }: { title: string; hint?: string; children?: ReactNode }): ReactNode {
  return (
    <section className="not-found">
      <PageTitle>{title}</PageTitle>
      {hint !== undefined && <p>{hint}</p>}
      {children}
    </section>
  )
}
