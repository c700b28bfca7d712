import type { ReactNode } from 'react'
import { ApiError } from '../../api/client.ts'
import type { Report } from '../../api/use-report.ts'
import { Loading } from './loading.tsx'
import { Problem } from './problem.tsx'

/**
 * Shows a report once it is loaded; an error appears above the previous numbers. An outage is shown by the frame, once
 * for all reports.
 */
export function ReportView<T>({
  report: { data, error, stale, reload },
  skeleton = <Loading />,
  children,
}: {
  report: Report<T>
  /** shown until the first answer; has the size of the report */
  skeleton?: ReactNode
  children: (data: T) => ReactNode
}): ReactNode {
  const isOutage = error instanceof ApiError && error.isOutage
  return (
    <>
      {error && !isOutage && <Problem error={error} retry={reload} />}
      {data === undefined ? (
        (!error || isOutage) && skeleton
      ) : stale ? (
        <div className="old">{children(data)}</div>
      ) : (
        children(data)
      )}
    </>
  )
}
