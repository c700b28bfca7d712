import type { ReactNode } from 'react'
import { useSession } from '../../api/session.tsx'
import { SaveButton, type Picture } from './save-button.tsx'

interface Props {
  path: string
  body: object
  name: string
  picture?: Picture | undefined
}

/** Saves the answer to a question as CSV, and its chart as PNG. */
export function QueryCsvButton({ path, body, name, picture }: Props): ReactNode {
  const { client } = useSession()
  return <SaveButton csv={() => client.queryText(path, body, 'text/csv')} name={name} picture={picture} />
}
