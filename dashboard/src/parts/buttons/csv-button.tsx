import type { ReactNode } from 'react'
import { useSession } from '../../api/session.tsx'
import { words } from '../../words.ts'
import { SaveButton, type Picture } from './save-button.tsx'

interface Props {
  path: string
  name: string
  picture?: Picture | undefined
}

/** Saves the rows of a report as CSV from the API, and its chart as PNG. */
export function CsvButton({ path, name, picture }: Props): ReactNode {
  const { client } = useSession()
  return (
    <SaveButton
      csv={() => client.text(path, undefined, 'text/csv')}
      name={name}
      picture={picture}
      label={picture ? words.save.label(picture.title) : words.save.csvLabel(name)}
    />
  )
}
