import { useState, type FormEvent, type ReactNode } from 'react'
import type { Funnel } from '@hopper/contracts'
import {
  draftOf,
  funnelOf,
  withNewStage,
  withStage,
  withStageEarlier,
  withoutStage,
  type SavedFunnel,
  type StageDraft,
} from './funnel-draft.ts'

interface Props {
  funnel: Funnel
  busy: boolean
  save: (funnel: SavedFunnel) => void
  cancel: () => void
}

/** Edits a new or existing funnel and its stages. */
export function FunnelForm({ funnel, busy, save, cancel }: Props): ReactNode {
  const [draft, setDraft] = useState(() => draftOf(funnel))
  const isNew = funnel.id === ''
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    save(funnelOf(draft))
  }
  return (
    <form className="fields" onSubmit={submit}>
      <label>
        Name
        <input
          value={draft.name}
          maxLength={200}
          required
          autoFocus
          onChange={(event) => setDraft({ ...draft, name: event.target.value })}
        />
      </label>
      {isNew && (
        <label>
          Id (letters, digits, _ . -)
          <input
            value={draft.id}
            pattern="[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}"
            maxLength={64}
            spellCheck={false}
            required
            onChange={(event) => setDraft({ ...draft, id: event.target.value })}
          />
        </label>
      )}
      <ol className="stages">
        {draft.stages.map((stage, index) => (
          <StageFields
            key={stage.id}
            stage={stage}
            place={index + 1}
            change={(change) => setDraft(withStage(draft, stage.id, change))}
            {...(index > 0 ? { moveEarlier: () => setDraft(withStageEarlier(draft, stage.id)) } : {})}
            {...(draft.stages.length > 1 ? { remove: () => setDraft(withoutStage(draft, stage.id)) } : {})}
          />
        ))}
      </ol>
      <div className="row">
        <button type="button" disabled={draft.stages.length >= 50} onClick={() => setDraft(withNewStage(draft))}>
          Add a stage
        </button>
        <button type="submit" className="primary" disabled={busy}>
          Save
        </button>
        <button type="button" onClick={cancel}>
          Cancel
        </button>
      </div>
    </form>
  )
}

interface StageProps {
  stage: StageDraft
  place: number
  change: (change: Partial<StageDraft>) => void
  moveEarlier?: () => void
  remove?: () => void
}

function StageFields({ stage, place, change, moveEarlier, remove }: StageProps): ReactNode {
  return (
    <li>
      <input
        aria-label={`Name of stage ${place}`}
        placeholder="Name"
        value={stage.name}
        maxLength={200}
        required
        onChange={(event) => change({ name: event.target.value })}
      />
      <select
        aria-label={`Stage ${place} is entered by`}
        value={stage.by}
        onChange={(event) => change({ by: event.target.value === 'click' ? 'click' : 'url' })}
      >
        <option value="url">page</option>
        <option value="click">click</option>
      </select>
      <input
        aria-label={stage.by === 'url' ? `Address of stage ${place}` : `Selector of stage ${place}`}
        placeholder={stage.by === 'url' ? '/products/*' : '#buy'}
        value={stage.pattern}
        maxLength={1024}
        spellCheck={false}
        onChange={(event) => change({ pattern: event.target.value })}
      />
      <span className="list-actions">
        {moveEarlier && (
          <button type="button" className="small" aria-label={`Move stage ${place} up`} onClick={moveEarlier}>
            ↑
          </button>
        )}
        {remove && (
          <button type="button" className="small" aria-label={`Remove stage ${place}`} onClick={remove}>
            ×
          </button>
        )}
      </span>
    </li>
  )
}
