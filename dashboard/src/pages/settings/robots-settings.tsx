import { useState, type FormEvent, type ReactNode } from 'react'
import { useQueryClient } from '@tanstack/react-query'
import { botRuleKinds, limits, type App, type BotReviewProgress, type BotRule } from '@hopper/contracts'
import { appPath } from '../../api/paths.ts'
import { useSession } from '../../api/session.tsx'
import { useReport } from '../../api/use-report.ts'
import { Card } from '../../parts/card.tsx'
import { AskButton } from '../../parts/buttons/ask-button.tsx'
import { Problem } from '../../parts/states/problem.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { useChange } from '../../parts/use-change.ts'
import { formatCount } from '../../format/numbers.ts'
import { resolveRange } from '../../state/date-range.ts'
import { useScope } from '../../state/scope.tsx'
import { filtersOfRule } from './bot-rule-filter.ts'

interface RobotsView extends Pick<App, 'id'> {
  readonly bot_rules: readonly BotRule[]
  readonly bot_review: BotReviewProgress
}

const kindTexts: Record<BotRule['kind'], string> = {
  user_agent: 'User agent contains',
  user_agent_regex: 'User agent matches (RE2)',
  network: 'Address is in the network',
  browser: 'Browser is',
  os: 'System is',
  country: 'Country is',
  page: 'Page begins with',
  referrer: 'Referrer contains',
}
const examples: Record<BotRule['kind'], string> = {
  user_agent: 'pingdom',
  user_agent_regex: '^(curl|wget)/',
  network: '192.0.2.0/24',
  browser: 'Chrome',
  os: 'Linux',
  country: 'DE',
  page: '/wp-login',
  referrer: 'spam.example',
}
const deletionOfRule: Record<BotRule['action'], string> = {
  bot: 'Past events are judged again without it: visits that were robots only by this rule are counted from then on.',
  human: 'Past events are judged again without it: visits that were people only by this rule are no longer counted.',
}
const actionTexts: Record<BotRule['action'], string> = { bot: 'a robot', human: 'a person' }

/** Shows and changes the rules by which an app treats visitors as robots, or as people. */
export function RobotsSettings({ app, mayChange }: { app: string; mayChange: boolean }): ReactNode {
  const report = useReport<RobotsView>(`/api/v1/apps/${encodeURIComponent(app)}`, true)
  return (
    <Card
      title="Robots"
      size="wide"
      hint="Events of robots are kept, and not counted. A visit is a robot’s as a whole; a rule for a person wins."
    >
      <ReportView report={report}>{(view) => <Rules view={view} mayChange={mayChange} />}</ReportView>
    </Card>
  )
}

function Rules({ view, mayChange }: { view: RobotsView; mayChange: boolean }): ReactNode {
  const { client } = useSession()
  const queries = useQueryClient()
  const { error, busy, run } = useChange(() => undefined)
  const rules = view.bot_rules
  const save = (next: readonly BotRule[]): Promise<boolean> =>
    run(async () => {
      await client.send('PATCH', `/api/v1/apps/${encodeURIComponent(view.id)}`, { bot_rules: next })
      await queries.invalidateQueries()
    })
  return (
    <>
      {error && <Problem error={error} />}
      {rules.length === 0 && <p className="hint">No rules yet: requests are recognized by what browsers send.</p>}
      <ul className="list">
        {rules.map((rule) => (
          <li key={`${rule.kind} ${rule.value}`}>
            {kindTexts[rule.kind]} <code>{rule.value}</code> <span className="badge">{actionTexts[rule.action]}</span>
            {mayChange && (
              <span className="list-actions">
                <AskButton
                  label={`Delete the rule ${rule.value}`}
                  consequence={deletionOfRule[rule.action]}
                  onConfirm={() => void save(rules.filter((other) => other !== rule))}
                />
              </span>
            )}
          </li>
        ))}
      </ul>
      <ReviewProgress review={view.bot_review} />
      {mayChange && rules.length < limits.botRulesMax && (
        <RuleForm app={view.id} busy={busy} add={(rule) => save([...rules, rule])} />
      )}
    </>
  )
}

/** Shows a badge while rules are applied to the past, or why they cannot be, and nothing afterwards. */
function ReviewProgress({ review: { state, share, problem } }: { review: BotReviewProgress }): ReactNode {
  if (problem !== undefined) return <p className="hint">Past events cannot be judged now: {problem}</p>
  if (state === 'done') return null
  return (
    <p className="badge warn" role="status">
      {state === 'waiting' ? 'Past events will be judged' : `Judging past events: ${Math.floor(share * 100)} %`}
    </p>
  )
}

interface FormProps {
  app: string
  busy: boolean
  add: (rule: BotRule) => Promise<boolean>
}

function RuleForm({ app, busy, add }: FormProps): ReactNode {
  const [rule, setRule] = useState<BotRule>({ kind: 'user_agent', value: '', action: 'bot' })
  const trimmed = { ...rule, value: rule.value.trim() }
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    void add(trimmed).then((isSaved) => isSaved && setRule({ ...rule, value: '' }))
  }
  return (
    <form className="fields" onSubmit={submit}>
      <label>
        New rule
        <select
          value={rule.kind}
          onChange={({ target }) => setRule({ ...rule, kind: target.value as BotRule['kind'] })}
        >
          {botRuleKinds.map((kind) => (
            <option key={kind} value={kind}>
              {kindTexts[kind]}
            </option>
          ))}
        </select>
      </label>
      <label>
        Value
        <input
          value={rule.value}
          onChange={({ target }) => setRule({ ...rule, value: target.value })}
          placeholder={examples[rule.kind]}
          maxLength={limits.botRuleCharsMax}
          spellCheck={false}
          required
        />
      </label>
      <label>
        This is
        <select
          value={rule.action}
          onChange={({ target }) => setRule({ ...rule, action: target.value as BotRule['action'] })}
        >
          <option value="bot">a robot</option>
          <option value="human">a person, even if other signs suggest a robot</option>
        </select>
      </label>
      <Preview app={app} rule={trimmed} />
      <div className="row">
        <button type="submit" className="primary" disabled={busy}>
          Add the rule
        </button>
      </div>
    </form>
  )
}

/** Counts past events that a rule matches, when asked to. */
function Preview({ app, rule }: { app: string; rule: BotRule }): ReactNode {
  const { client } = useSession()
  const { today } = useScope()
  const { error, busy, run } = useChange(() => undefined)
  const [found, setFound] = useState<{ of: string; count: number }>()
  const filters = filtersOfRule(rule)
  if (!filters)
    return <p className="hint">This is not stored with events, so the rule applies to what arrives from now on.</p>
  const of = `${rule.kind} ${rule.value}`
  const count = (): void =>
    void run(async () => {
      const { from, to } = resolveRange({ preset: '30d' }, today)
      const body = { start: from, end: to, data: [{ name: 'matched', filters }] }
      const { data } = await client.send<{ data: { count: number }[] }>('POST', appPath(app, 'query'), body)
      setFound({ of, count: data[0]?.count ?? 0 })
    })
  return (
    <>
      {error && <Problem error={error} />}
      <div className="row">
        <button type="button" disabled={busy || rule.value === ''} onClick={count}>
          Try it on the last 30 days
        </button>
        {found?.of === of && <span role="status">It matches {formatCount(found.count)} events.</span>}
      </div>
    </>
  )
}
