import { useRef, useState, type DragEvent, type KeyboardEvent, type ReactNode } from 'react'
import type { PickedElement } from '@hopper/contracts'
import { ArrowDown, ArrowUp, GripVertical, X } from 'lucide-react'
import { Icon } from '../../../parts/icon.tsx'
import { PickButton } from '../../../parts/buttons/pick-button.tsx'
import { useFocusHandover } from '../../../parts/buttons/use-focus-handover.ts'
import { words } from '../../../words.ts'
import { pickerWords } from '../../../parts/picker-words.ts'
import {
  withNewStage,
  withStage,
  withStageMoved,
  withoutStage,
  type FunnelDraft,
  type StageDraft,
} from './funnel-draft.ts'
import { selectorOf } from './suggestions.ts'

interface Props {
  draft: FunnelDraft
  change: (draft: FunnelDraft) => void
}

/** The stages in their order: dragged, or moved by keys or buttons. */
export function EditorStages({ draft, change }: Props): ReactNode {
  const { editor } = words.funnels
  const list = useRef<HTMLOListElement>(null)
  const [dragged, setDragged] = useState<number | null>(null)
  const move = (id: number, by: number): void => change(withStageMoved(draft, id, by))
  const onKeyDown = (event: KeyboardEvent, id: number): void => {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key]
    if (!event.altKey || by === undefined) return
    event.preventDefault()
    move(id, by)
  }
  const onDragOver = (event: DragEvent, index: number): void => {
    if (dragged === null) return
    event.preventDefault()
    const from = draft.stages.findIndex(({ id }) => id === dragged)
    if (from !== index) move(dragged, index - from)
  }
  return (
    <section className="card" aria-label={editor.stages}>
      <h2>{editor.stages}</h2>
      <p className="hint">{draft.stages.length === 0 ? editor.empty : editor.keys}</p>
      <ol ref={list} className="editor-stages">
        {draft.stages.map((stage, index) => (
          <li
            key={stage.id}
            draggable={dragged === stage.id}
            onDragOver={(event) => onDragOver(event, index)}
            onDragEnd={() => setDragged(null)}
            onKeyDown={(event) => onKeyDown(event, stage.id)}
          >
            <span className="grip" aria-hidden="true" onPointerDown={() => setDragged(stage.id)}>
              <Icon of={GripVertical} />
              {index + 1}
            </span>
            <StageFields stage={stage} place={index + 1} change={(next) => change(withStage(draft, stage.id, next))} />
            <span className="list-actions">
              <IconButton label={editor.earlier(index + 1)} icon={ArrowUp} press={() => move(stage.id, -1)} />
              <IconButton label={editor.later(index + 1)} icon={ArrowDown} press={() => move(stage.id, 1)} />
              <IconButton
                label={editor.remove(index + 1)}
                icon={X}
                press={() => change(withoutStage(draft, stage.id))}
              />
            </span>
          </li>
        ))}
      </ol>
      <button type="button" disabled={draft.stages.length >= 50} onClick={() => change(withNewStage(draft))}>
        {editor.own}
      </button>
    </section>
  )
}

function IconButton({ label, icon, press }: { label: string; icon: typeof ArrowUp; press: () => void }): ReactNode {
  const button = useFocusHandover()
  return (
    <button ref={button} type="button" className="plain" aria-label={label} title={label} onClick={press}>
      <Icon of={icon} />
    </button>
  )
}

interface FieldsProps {
  stage: StageDraft
  place: number
  change: (change: Partial<StageDraft>) => void
}

function StageFields({ stage, place, change }: FieldsProps): ReactNode {
  const { editor } = words.funnels
  const [hasNoSelector, setNoSelector] = useState(false)
  const pick = (picked: PickedElement): void => {
    const [pattern] = [...picked.fingerprints, selectorOf(picked.xpath)]
    setNoSelector(pattern === undefined)
    if (pattern !== undefined) change({ pattern, ...(stage.name === '' && { name: picked.name }) })
  }
  return (
    <div className="stage-fields">
      <input
        aria-label={editor.stageName(place)}
        placeholder={editor.name}
        value={stage.name}
        maxLength={200}
        required
        onChange={(event) => change({ name: event.target.value })}
      />
      <select
        aria-label={editor.stageBy(place)}
        value={stage.by}
        onChange={(event) => change({ by: event.target.value === 'click' ? 'click' : 'url' })}
      >
        <option value="url">{editor.page}</option>
        <option value="click">{editor.click}</option>
      </select>
      <input
        aria-label={stage.by === 'url' ? editor.stagePage(place) : editor.stageClick(place)}
        placeholder={stage.by === 'url' ? '/products/*' : '#buy'}
        value={stage.pattern}
        maxLength={1024}
        spellCheck={false}
        required
        onChange={(event) => change({ pattern: event.target.value })}
      />
      {stage.by === 'click' && <PickButton label={pickerWords.stage(place)} picked={pick} />}
      {hasNoSelector && <p role="alert">{pickerWords.noSelector}</p>}
    </div>
  )
}
