import type { ReactNode } from 'react'
import { Download } from 'lucide-react'
import { useSession } from '../api/session.tsx'
import { words } from '../words.ts'
import { Icon } from './icon.tsx'
import { SaveCsvButton } from './save-csv-button.tsx'

/** Downloads the answer to a question as CSV. */
export function QueryCsvButton({ path, body, name }: { path: string; body: object; name: string }): ReactNode {
  const { client } = useSession()
  return (
    <SaveCsvButton load={() => client.queryText(path, body, 'text/csv')} name={name}>
      <Icon of={Download} /> {words.funnels.csv}
    </SaveCsvButton>
  )
}
