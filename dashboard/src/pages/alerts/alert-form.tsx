import { useId, useState, type FormEvent, type ReactNode } from 'react'
import type { AlertKind, Alerts, AlertView, ListedFunnel } from '@hopper/contracts'
import { bodyOf, draftOf, newDraft, type AlertDraft } from './alert-draft.ts'
import { alertWords } from './alert-words.ts'

const texts = alertWords.form
const thresholds = [
  ['0.05', '5 %'],
  ['0.01', '1 %'],
  ['0.001', '0.1 %'],
] as const
const hours = Array.from({ length: 24 }, (_, hour) => [String(hour), `${hour}:00`] as const)
const lastHours = hours.map(([hour]) => [String(Number(hour) + 1), `${Number(hour) + 1}:00`] as const)
const kinds = Object.entries(alertWords.kinds) as [AlertKind, string][]

interface Props {
  edited?: AlertView
  funnels: readonly ListedFunnel[]
  channels: Alerts['channels']
  busy: boolean
  save: (body: Record<string, unknown>) => void
  cancel: () => void
}

/** The form of an alert. The kind of an alert is chosen when it is created and cannot be changed. */
export function AlertForm({ edited, funnels, channels, busy, save, cancel }: Props): ReactNode {
  const [draft, setDraft] = useState<AlertDraft>(
    edited ? draftOf(edited) : { ...newDraft, funnel: funnels[0]?.id ?? '' },
  )
  const change = (name: keyof AlertDraft) => (value: string) => setDraft({ ...draft, [name]: value })
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    save(bodyOf(draft, edited))
  }
  const origins = channels.webhook_origins
  return (
    <form className="fields alert-form" onSubmit={submit} aria-label={edited?.name ?? alertWords.add}>
      {!edited && <Choice label={texts.kind} value={draft.kind} change={change('kind')} options={kinds} />}
      <Field label={texts.name} value={draft.name} change={change('name')} required maxLength={200} autoFocus />
      {draft.kind === 'fall' && <FallFields draft={draft} change={change} funnels={funnels} />}
      {draft.kind === 'quiet' && <QuietFields draft={draft} change={change} />}
      {draft.kind === 'report' && (
        <Choice label={texts.hour} value={draft.hour} change={change('hour')} options={hours} />
      )}
      <Field
        label={texts.webhook}
        hint={texts.webhookHint(origins)}
        value={draft.webhook}
        change={change('webhook')}
        type="url"
        maxLength={2_048}
        disabled={origins.length === 0 && draft.webhook === ''}
      />
      <Field
        label={texts.email}
        {...(channels.email ? {} : { hint: texts.noEmail })}
        value={draft.email}
        change={change('email')}
        disabled={!channels.email && draft.email === ''}
      />
      <div className="row">
        <button type="submit" className="primary" disabled={busy}>
          {texts.save}
        </button>
        <button type="button" onClick={cancel}>
          {texts.cancel}
        </button>
      </div>
    </form>
  )
}

interface PartProps {
  draft: AlertDraft
  change: (name: keyof AlertDraft) => (value: string) => void
}

function FallFields({ draft, change, funnels }: PartProps & { funnels: readonly ListedFunnel[] }): ReactNode {
  const periods = Object.entries(texts.periods)
  return (
    <>
      <Choice
        label={texts.funnel}
        value={draft.funnel}
        change={change('funnel')}
        options={funnels.map(({ id, name }) => [id, name] as const)}
      />
      <Choice label={texts.period} value={draft.period} change={change('period')} options={periods} />
      <div className="pair">
        <Choice
          label={texts.threshold}
          value={draft.threshold}
          change={change('threshold')}
          options={withOwn(thresholds, draft.threshold)}
        />
        <Choice
          label={texts.window}
          value={draft.window}
          change={change('window')}
          options={withOwn(texts.windows, draft.window)}
        />
      </div>
      <Field
        label={texts.sample}
        value={draft.sample}
        change={change('sample')}
        type="number"
        min={30}
        max={1_000_000}
        required
      />
    </>
  )
}

function QuietFields({ draft, change }: PartProps): ReactNode {
  const any = ['', texts.anyHour] as const
  return (
    <>
      <Field
        label={texts.minutes}
        value={draft.minutes}
        change={change('minutes')}
        type="number"
        min={5}
        max={10_080}
        required
      />
      <div className="pair">
        <Choice label={texts.from} value={draft.from} change={change('from')} options={[any, ...hours]} />
        <Choice label={texts.to} value={draft.to} change={change('to')} options={[any, ...lastHours]} />
      </div>
    </>
  )
}

type Option = readonly [value: string, name: string]

/** Adds a value that was set by the API to those that the form offers. */
function withOwn(options: readonly Option[], value: string): readonly Option[] {
  return options.some(([one]) => one === value) ? options : [...options, [value, value]]
}

interface ChoiceProps {
  label: string
  value: string
  change: (value: string) => void
  options: readonly Option[]
}

function Choice({ label, value, change, options }: ChoiceProps): ReactNode {
  return (
    <label>
      {label}
      <select value={value} onChange={(event) => change(event.target.value)}>
        {options.map(([one, name]) => (
          <option key={one} value={one}>
            {name}
          </option>
        ))}
      </select>
    </label>
  )
}

interface FieldProps {
  label: string
  hint?: string
  value: string
  change: (value: string) => void
  type?: 'text' | 'url' | 'number'
  min?: number
  max?: number
  maxLength?: number
  required?: boolean
  disabled?: boolean
  autoFocus?: boolean
}

function Field({ label, hint, change, type = 'text', ...input }: FieldProps): ReactNode {
  const id = useId()
  return (
    <div>
      <label>
        {label}
        <input
          {...input}
          {...(hint === undefined ? {} : { 'aria-describedby': id })}
          type={type}
          spellCheck={false}
          onChange={(event) => change(event.target.value)}
        />
      </label>
      {hint !== undefined && (
        <p id={id} className="hint">
          <bdi>{hint}</bdi>
        </p>
      )}
    </div>
  )
}
