import type { ReactNode } from 'react'
import { ApiError } from '../../api/client.ts'
import { words } from '../../words.ts'

/** Describes what failed, in the words of the dashboard; the code of the API is under the details. */
export function Problem({ error, retry }: { error: Error; retry?: () => void }): ReactNode {
  const isApi = error instanceof ApiError
  return (
    <div className="problem" role="alert">
      <p>{words.problems.of(isApi ? error.code : '', error.message)}</p>
      {isApi && (
        <details>
          <summary>{words.problems.details}</summary>
          {error.code}: {error.message}
        </details>
      )}
      {retry && (!isApi || error.isOutage || error.status >= 500 || error.status === 429) && (
        <button type="button" onClick={retry}>
          {words.problems.retry}
        </button>
      )}
    </div>
  )
}
