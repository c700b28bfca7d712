import { describe, expect, it } from 'vitest'
import { concerns } from './changes.ts'

describe('a change of reports', () => {
  it('concerns the answers of that app with these paths, and no others', () => {
    const reports = ['funnels/query', 'keys', 'traffic']
    const path = '/api/v1/apps/my%20shop/'
    expect(concerns(`${path}traffic?from=2026-01-01`, 'my shop', reports)).toBe(true)
    expect(concerns(`${path}funnels/query`, 'my shop', reports)).toBe(true)
    expect(concerns(`${path}keys/device/values`, 'my shop', reports)).toBe(true)
    expect(concerns(`${path}funnels`, 'my shop', reports)).toBe(false)
    expect(concerns('/api/v1/apps/blog/traffic', 'my shop', reports)).toBe(false)
    expect(concerns('/api/v1/status', 'my shop', reports)).toBe(false)
  })
})
