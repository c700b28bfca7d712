import { useState, type ReactNode } from 'react'
import { Download } from 'lucide-react'
import { formatDates } from '../../format/times.ts'
import { filterText } from '../../state/filter-text.ts'
import { useScope, type Scope } from '../../state/scope.tsx'
import { words } from '../../words.ts'
import { Icon } from '../icon.tsx'
import { PopoverButton } from './popover-button.tsx'
import { saveFile } from './save-file.ts'

/** Charts that are saved as one picture. */
export interface Picture {
  /** the `data-picture` of the charts; they are below each other in the picture */
  readonly of: string
  readonly title: string
  /** which of the page's choices the charts follow: all unless given, the dates without filters, or none */
  readonly follows?: 'dates' | 'nothing' | undefined
}

interface Props {
  /** name of the report; the file is named by app, report and range */
  name: string
  /** asks for the rows as CSV */
  csv?: () => Promise<string>
  picture?: Picture | undefined
  /** label where the text of the button says too little */
  label?: string
  children?: ReactNode
}

/** Saves rows as CSV, a chart as PNG, or lets choose where there are both; says beside it why it could not. */
export function SaveButton({ name, csv, picture, label, children }: Props): ReactNode {
  const scope = useScope()
  const [failed, setFailed] = useState<string | null>(null)
  const [isSaving, setIsSaving] = useState(false)
  const save = async (load: () => Promise<string | Blob>, file: string, type: string): Promise<void> => {
    setIsSaving(true)
    try {
      saveFile(await load(), file, type)
      setFailed(null)
    } catch (error) {
      setFailed((error as Error).message)
    } finally {
      setIsSaving(false)
    }
  }
  const { app, range } = scope
  const fileOf = (end: string, hasDates = true): string =>
    `${app.id}-${name}${hasDates ? `-${range.from}-${range.to}` : ''}.${end}`
  const saveCsv = csv && (() => void save(csv, fileOf('csv'), 'text/csv'))
  const savePng =
    picture && (() => void save(() => draw(picture, scope), fileOf('png', picture.follows !== 'nothing'), 'image/png'))
  return (
    <>
      {saveCsv && savePng ? (
        <PopoverButton className="small" label={label ?? words.save.menu} button={<Content>{words.save.menu}</Content>}>
          {(close) => (
            <div className="options" onClick={close}>
              <button type="button" onClick={saveCsv}>
                {words.save.csv} <span className="hint">{words.save.csvHint}</span>
              </button>
              <button type="button" onClick={savePng}>
                {words.save.png} <span className="hint">{words.save.pngHint}</span>
              </button>
            </div>
          )}
        </PopoverButton>
      ) : (
        <button type="button" className="small" aria-label={label} disabled={isSaving} onClick={saveCsv ?? savePng}>
          <Content>{children ?? (csv ? words.save.csv : words.save.png)}</Content>
        </button>
      )}
      {failed !== null && (
        <span role="alert" className="failed">
          {failed}
        </span>
      )}
    </>
  )
}

function Content({ children }: { children: ReactNode }): ReactNode {
  return (
    <>
      <Icon of={Download} /> {children}
    </>
  )
}

async function draw({ of, title, follows }: Picture, scope: Scope): Promise<Blob> {
  const { chartPicture } = await import('../../charts/picture/chart-picture.ts')
  const charts = [...document.querySelectorAll(`[data-picture="${CSS.escape(of)}"]`)]
  return chartPicture(charts, { title, facts: factsOf(scope, follows), app: scope.app.name })
}

/** Describes in words which part of the data a chart shows. */
function factsOf({ range, compared, unit, robots, chips }: Scope, follows: Picture['follows']): string[] {
  if (follows === 'nothing') return []
  const dates = formatDates(range.from, range.to)
  if (follows === 'dates') return [dates]
  const scope = [
    dates,
    ...(compared ? [words.bar.comparedWith(formatDates(compared.from, compared.to))] : []),
    words.units[unit].name,
    ...(robots ? [words.bar.robotsShown] : []),
  ]
  return [scope.join(' · '), ...(chips.length === 0 ? [] : [filterText(chips)])]
}
