import { describe, expect, it } from 'vitest'
import { Refresher } from './refresher.ts'

/** A refresher whose reloads end when the test says so. */
function controlled(): { refresher: Refresher; started: string[][]; end: (isLoading?: boolean) => Promise<void> } {
  const started: string[][] = []
  let finish: (isLoading: boolean) => void = () => undefined
  const reload = (reports: ReadonlySet<string>): Promise<boolean> => {
    started.push([...reports])
    return new Promise((resolve) => (finish = resolve))
  }
  const refresher = new Refresher(reload, () => Promise.resolve())
  const end = async (isLoading = false): Promise<void> => {
    finish(isLoading)
    await new Promise((resolve) => setTimeout(resolve))
  }
  return { refresher, started, end }
}

describe('a refresher', () => {
  it('loads a change at once, and changes that arrive during a load together', async () => {
    const { refresher, started, end } = controlled()
    refresher.add(['traffic'])
    expect(started).toEqual([['traffic']])
    refresher.add(['traffic', 'clicks'])
    refresher.add(['query'])
    expect(started).toHaveLength(1)
    await end()
    expect(started).toEqual([['traffic'], ['traffic', 'clicks', 'query']])
    await end()
    refresher.add(['traffic'])
    expect(started).toHaveLength(3)
  })

  it('loads a report again that was being loaded before the change', async () => {
    const { refresher, started, end } = controlled()
    refresher.add(['traffic'])
    await end(true)
    await end()
    expect(started).toEqual([['traffic'], ['traffic']])
  })
})
