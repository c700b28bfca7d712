import { useState, type ReactNode } from 'react'
import { useScope } from '../state/scope.tsx'
import { saveFile } from './save-file.ts'

interface Props {
  /** asks for the rows */
  load: () => Promise<string>
  /** name of the report; the file is named by app, report and range */
  name: string
  /** label where the content says too little */
  label?: string
  children: ReactNode
}

/** Saves rows as a CSV file; says beside the button why it could not. */
export function SaveCsvButton({ load, name, label, children }: Props): ReactNode {
  const { app, range } = useScope()
  const [failed, setFailed] = useState<string | null>(null)
  const [isSaving, setIsSaving] = useState(false)
  const save = async (): Promise<void> => {
    setIsSaving(true)
    try {
      saveFile(await load(), `${app.id}-${name}-${range.from}-${range.to}.csv`, 'text/csv')
      setFailed(null)
    } catch (error) {
      setFailed((error as Error).message)
    } finally {
      setIsSaving(false)
    }
  }
  return (
    <>
      <button type="button" className="small" aria-label={label} disabled={isSaving} onClick={() => void save()}>
        {children}
      </button>
      {failed !== null && (
        <span role="alert" className="failed">
          {failed}
        </span>
      )}
    </>
  )
}
