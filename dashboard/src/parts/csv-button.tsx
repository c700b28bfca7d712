import { useState, type ReactNode } from 'react'
import { useSession } from '../api/session.tsx'

/** Downloads the rows of a report as CSV from the API. */
export function CsvButton({ path, name }: { path: string; name: string }): ReactNode {
  const { client } = useSession()
  const [failed, setFailed] = useState<string | null>(null)
  const save = async (): Promise<void> => {
    try {
      saveFile(await client.text(path, undefined, 'text/csv'), `${name}.csv`)
      setFailed(null)
    } catch (error) {
      setFailed((error as Error).message)
    }
  }
  return (
    <>
      <button type="button" className="small" aria-label={`Download ${name} as CSV`} onClick={() => void save()}>
        CSV
      </button>
      {failed !== null && (
        <span role="alert" className="failed">
          {failed}
        </span>
      )}
    </>
  )
}

function saveFile(text: string, name: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv' }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // the browser has opened the file by the time the next task runs
  setTimeout(() => URL.revokeObjectURL(url))
}
