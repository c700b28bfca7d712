import type { ReactNode } from 'react'
import type { Report } from '../api/use-report.ts'
import { Loading } from './loading.tsx'
import { Problem } from './problem.tsx'

/** Shows a report once it is loaded; an error appears above the previous numbers. */
export function ReportView<T>({
  report,
  children,
}: {
  report: Report<T>
  children: (data: T) => ReactNode
}): ReactNode {
  const { data, error, reload } = report
  return (
    <>
      {error && <Problem error={error} retry={reload} />}
      {data === undefined ? !error && <Loading /> : children(data)}
    </>
  )
}
