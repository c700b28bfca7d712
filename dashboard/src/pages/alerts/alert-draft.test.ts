import type { AlertView } from '@hopper/contracts'
import { expect, it } from 'vitest'
import { bodyOf, draftOf, newDraft } from './alert-draft.ts'

const common = { id: 'a', name: 'A', silenced_until: null, created_at: 1, notices: [] }

it('a form that is opened and saved changes nothing', () => {
  const fall = { funnel: 'f', period: 'day', threshold: 0.001, sample_min: 50, window_ms: 3_600_000, periods_before: 2 }
  const alerts: AlertView[] = [
    { ...common, fall: { ...fall, period: 'day' }, webhook: { origin: 'https://x', url: 'https://x/y' } },
    { ...common, quiet: { minutes: 30 }, email: { recipients: 2, to: ['a@b.example', 'c@d.example'] } },
    { ...common, quiet: { minutes: 30, hours: { from: 0, to: 24 } }, email: { recipients: 1, to: ['a@b.example'] } },
    { ...common, report: { hour: 0 }, webhook: { origin: 'https://x', url: 'https://x/' } },
  ]
  for (const alert of alerts) {
    const { fall, quiet, report } = alert
    expect(bodyOf(draftOf(alert), alert)).toEqual({
      name: 'A',
      ...(fall ? { fall } : {}),
      ...(quiet ? { quiet } : {}),
      ...(report ? { report } : {}),
      webhook: alert.webhook ? { url: alert.webhook.url } : null,
      email: alert.email ? { to: alert.email.to } : null,
    })
  }
})

it('a new alert has the channels that were filled in', () => {
  const draft = { ...newDraft, name: ' Weekly ', kind: 'report' as const }
  expect(bodyOf({ ...draft, email: 'a@b.example,  c@d.example ' })).toEqual({
    name: 'Weekly',
    report: { hour: 8 },
    email: { to: ['a@b.example', 'c@d.example'] },
  })
  expect(bodyOf({ ...draft, kind: 'quiet', from: '8', webhook: ' https://x/ ' })).toEqual({
    name: 'Weekly',
    quiet: { minutes: 60, hours: { from: 8, to: 24 } },
    webhook: { url: 'https://x/' },
  })
})
