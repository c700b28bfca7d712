import type { ReactNode } from 'react'
import { useSession } from '../api/session.tsx'
import { SaveCsvButton } from './save-csv-button.tsx'

/** Downloads the rows of a report as CSV from the API. */
export function CsvButton({ path, name }: { path: string; name: string }): ReactNode {
  const { client } = useSession()
  return (
    <SaveCsvButton load={() => client.text(path, undefined, 'text/csv')} name={name} label={`Download ${name} as CSV`}>
      CSV
    </SaveCsvButton>
  )
}
