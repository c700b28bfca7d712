import { describe, expect, it } from 'vitest'
import { countQuestion, eventFilters, eventsQuestion, retentionQuestion } from './explore-question.ts'

const scope = {
  range: { from: '2026-01-01', to: '2026-01-31' },
  filters: [{ type: 'eq' as const, key: 'device', value: 'mobile' }],
  unit: 'session' as const,
}
const clicks = [{ type: 'eq', key: 'type', value: 'click' }]

describe('a question of the explore page', () => {
  it('is about the events that the address names', () => {
    expect(eventFilters('type:click')).toEqual(clicks)
    expect(eventFilters('a\\:b:c:d')).toEqual([{ type: 'eq', key: 'a:b', value: 'c:d' }])
    expect(eventFilters('nothing')).toEqual([])
    expect(eventFilters(undefined)).toEqual([])
  })

  it('counts people with such an event, in the scope of the page', () => {
    expect(countQuestion(scope, 'type:click', { breakdown: 'browser', trend: 'day' })).toEqual({
      from: '2026-01-01',
      to: '2026-01-31',
      steps: [{ name: 'type:click', filters: clicks }],
      window_ms: 1,
      filters: scope.filters,
      count_by: 'session',
      breakdown: 'browser',
      trend: 'day',
    })
    const only = { key: 'browser', value: 'Firefox' }
    expect(countQuestion(scope, undefined, { only }).filters).toEqual([
      ...scope.filters,
      { type: 'eq', key: 'browser', value: 'Firefox' },
    ])
  })

  it('shows events, and who comes back', () => {
    const [set] = eventsQuestion(scope, 'type:click', ['page']).data
    expect(set).toMatchObject({ filters: [...clicks, ...scope.filters], keys: ['page'] })
    expect(retentionQuestion(scope, 'type:click', undefined, 'week')).toMatchObject({
      first: [...clicks, ...scope.filters],
      again: [...clicks, ...scope.filters],
      by: 'week',
      count_by: 'session',
    })
    expect(retentionQuestion(scope, undefined, 'name:bought', 'day').again[0]).toEqual({
      type: 'eq',
      key: 'name',
      value: 'bought',
    })
  })
})
