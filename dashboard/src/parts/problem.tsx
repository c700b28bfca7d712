import type { ReactNode } from 'react'
import { ApiError } from '../api/client.ts'

/** Shows the error message of the API. */
export function Problem({ error, retry }: { error: Error; retry?: () => void }): ReactNode {
  return (
    <div className="problem" role="alert">
      <p>{error.message}</p>
      {error instanceof ApiError && <p className="code">{error.code}</p>}
      {retry && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  )
}
