import { PROBLEMS_KEPT, PROCESSES_MAX, PROCESS_KEPT_MS, type ProcessReport } from '@hopper/contracts'
import { openEmbedded } from '@hopper/storage/embedded'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { LastProblems } from './last-problems.ts'
import { createLogger, lastProblems } from './logger.ts'
import { ProblemReport } from './problem-report.ts'

const [WARN, ERROR] = [40, 50]
const coded = (code: string, message = 'at 10.0.0.7 for ann@example.com', cause?: unknown): Error =>
  Object.assign(new Error(message, { cause }), { code })

it('keeps warnings and errors of a logger and of its children, and nothing below', () => {
  const logger = createLogger('warn', 'test')
  const problems = lastProblems(logger)
  logger.info('not a problem')
  logger.child({ reqId: 'r1' }).error({ err: coded('HOP_STORE_UNAVAILABLE') }, 'a call failed')
  logger.warn('odd')
  expect(problems.all.map(({ level, message, codes }) => [level, message, codes])).toEqual([
    ['warn', 'odd', []],
    ['error', 'a call failed', ['HOP_STORE_UNAVAILABLE']],
  ])
})

it('adds up repeated problems, and keeps only the last kinds', () => {
  let now = 0
  const problems = new LastProblems(() => now++)
  for (let n = 0; n < 3; n++) problems.add(ERROR, [{ err: coded('HOP_STORE_UNAVAILABLE') }, 'a call failed'])
  expect(problems.all).toEqual([
    { level: 'error', message: 'a call failed', codes: ['HOP_STORE_UNAVAILABLE'], times: 3, last_at: 2 },
  ])
  for (let n = 0; n < 1_000; n++) problems.add(WARN, [{}, `kind ${n}`])
  expect(problems.all).toHaveLength(PROBLEMS_KEPT)
  expect(problems.all[0]!.message).toBe('kind 999')
})

it('contains no secret, no address and no value of an event, wherever they occur', () => {
  const problems = new LastProblems()
  const cause = coded('ECONNREFUSED', 'connect 10.0.0.7:9042')
  const hostile: readonly (readonly unknown[])[] = [
    [{ err: coded('HOP_INTERNAL', 'value hw_secret_0123456789', cause), key: 'hr_secret_1' }, 'request failed'],
    [coded('not a code: hw_secret_2')],
    [{ err: new Error('ann@example.com') }, 'ann@example.com'],
    ['key ha_secret_3 of https://ann:pass@host/path?token=t4 Authorization: Bearer t5'],
    [{ err: { code: 'lower', cause: { code: 'X'.repeat(500) } } }, `aGVsbG8${'Q'.repeat(40)} ann@example.com`],
    [{ err: null }],
    [undefined, undefined],
    ['x'.repeat(100_000)],
  ]
  for (const args of hostile) problems.add(ERROR, args)
  const text = JSON.stringify(problems.all)
  for (const secret of ['secret', 'pass@', 't4', 't5', 'ann@', '10.0.0', 'aGVsbG8', 'XXXX'])
    expect(text).not.toContain(secret)
  expect(problems.all.every(({ message }) => message.length <= 300)).toBe(true)
  expect(problems.all.find(({ message }) => message === 'request failed')!.codes).toEqual([
    'HOP_INTERNAL',
    'ECONNREFUSED',
  ])
})

it('an error whose causes form a circle is described once', () => {
  const error = coded('HOP_INTERNAL')
  error.cause = error
  const problems = new LastProblems()
  problems.add(ERROR, [{ err: error }, 'odd'])
  expect(problems.all[0]!.codes).toEqual(['HOP_INTERNAL'])
})

it('is stored at the start, soon after a problem and at the end, and processes of long ago go', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'hopper-problems-'))
  const storage = await openEmbedded({ dir, lanes: 2 })
  try {
    const now = PROCESS_KEPT_MS * 2
    const { registry } = storage
    const old: ProcessReport = { id: 'old', name: 'api', version: '0', started_at: 0, seen_at: 1, problems: [] }
    await registry.processes.put('', 'old', old)
    for (let n = 0; n < PROCESSES_MAX + 5; n++)
      await registry.processes.put('', `many-${n}`, { ...old, id: `many-${n}`, seen_at: now - 1_000 - n })
    const problems = new LastProblems(() => now)
    const report = new ProblemReport({ registry, name: 'hopper', problems, clock: () => now })
    const stored = async (): Promise<ProcessReport | undefined> =>
      (await registry.processes.list('')).find(({ name }) => name === 'hopper')
    await expect.poll(stored).toMatchObject({ name: 'hopper', started_at: now, seen_at: now, problems: [] })
    problems.add(ERROR, [{ err: coded('HOP_STORE_UNAVAILABLE') }, 'a call failed'])
    await expect.poll(async () => (await stored())!.problems.length, { timeout: 5_000 }).toBe(1)
    problems.add(ERROR, ['the last one'])
    await report.close()
    expect(await stored()).toMatchObject({ ended_at: now, problems: [{ message: 'the last one' }, {}] })
    const ids = (await registry.processes.list('')).map(({ id }) => id)
    expect(ids).toHaveLength(PROCESSES_MAX)
    expect(ids).not.toContain('old')
    expect(ids).not.toContain(`many-${PROCESSES_MAX + 4}`)
  } finally {
    await storage.close()
    await rm(dir, { recursive: true, force: true })
  }
})
