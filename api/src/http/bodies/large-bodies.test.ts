import { openEmbedded } from '@hopper/storage/embedded'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { assertBoundedText } from './bounded.ts'
import { LargeBodies } from './large-bodies.ts'
import { keys, openInstallation, type Installation } from '../../testing/installation.fixture.ts'

let hopper: Installation
let url: string

beforeAll(async () => {
  hopper = await openInstallation(openEmbedded)
  await hopper.app.listen(0, '127.0.0.1')
  url = `${await hopper.app.getUrl()}/api/v1/apps`
})
afterAll(() => hopper.close())

const send = (app: string, key: string, body: string): Promise<Response> =>
  fetch(`${url}/${app}/query`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': key },
    body,
  })
const query = (values: number): string => {
  const filters = Array.from({ length: values / 1_000 }, (_, filter) => ({
    type: 'in',
    key: 'text',
    values: Array.from({ length: 1_000 }, (_, i) => `${filter}-${i}-${'x'.repeat(30)}`),
  }))
  return JSON.stringify({ start: '2026-03-01', end: '2026-03-02', data: [{ name: 'all', filters }] })
}
const isBounded = (text: string): boolean => {
  try {
    assertBoundedText(Buffer.from(text))
    return true
  } catch {
    return false
  }
}

test('oversized bodies are recognized by their bytes', () => {
  expect(isBounded(query(20_000))).toBe(true)
  expect(isBounded(JSON.stringify({ text: '[[[['.repeat(1_000), quoted: `"\\${','.repeat(60_000)}` }))).toBe(true)
  expect(isBounded('['.repeat(26))).toBe(false)
  expect(isBounded(`{"a":[${'1,'.repeat(50_000)}1]}`)).toBe(false)
  expect(isBounded('{"a":1}}}}]]]')).toBe(true)
})

test('a large query is answered; a too deep or too long one is refused', async () => {
  expect((await send('shop', keys.read, query(20_000))).status).toBe(200)
  for (const body of [`${'['.repeat(400_000)}${']'.repeat(400_000)}`, `{"a":[${'1,'.repeat(400_000)}1]}`]) {
    const answer = await send('shop', keys.read, body)
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: { code: 'HOP_PARAM_INVALID' } }])
  }
})

test('large bodies of one key leave turns to others', async () => {
  let isSending = true
  let answered = 0
  const sender = async (): Promise<void> => {
    while (isSending) {
      await send('shop', keys.read, query(20_000))
      answered++
    }
  }
  const flood = Array.from({ length: 16 }, sender)
  const answeredBefore: number[] = []
  try {
    for (let i = 0; i < 5; i++) {
      const first = answered
      expect((await send('blog', keys.blogRead, query(20_000))).status).toBe(200)
      answeredBefore.push(answered - first)
    }
  } finally {
    isSending = false
    await Promise.all(flood)
  }
  // in arrival order, all 16 waiting bodies would be answered before it; the median, because connections take time
  expect(answeredBefore.sort((a, b) => a - b)[2]).toBeLessThan(8)
}, 60_000)

test('the queue is bounded per key, per app and in total', () => {
  const large = new LargeBodies()
  const take = (app: string, caller: string): void => large.take({ app, caller }, 1, () => undefined)
  for (let i = 0; i < 16; i++) take('a', 'x')
  expect(() => take('a', 'x')).toThrow(/large_bodies_per_caller \(16\)/)
  for (let i = 0; i < 8; i++) take('a', 'y')
  expect(() => take('a', 'z')).toThrow(/large_bodies_per_app \(24\)/)
  for (let i = 0; i < 8; i++) take('b', 'y')
  expect(() => take('c', 'z')).toThrow(/large_bodies \(32\)/)
})

test('turns alternate by app and caller, whatever came first', async () => {
  const large = new LargeBodies()
  const read: string[] = []
  const all = new Promise<void>((resolve) => {
    for (const [app, caller] of [
      ['a', 'x'],
      ['a', 'x'],
      ['a', 'y'],
      ['b', 'z'],
    ] as const) {
      large.take({ app, caller }, 1_000, () => {
        read.push(`${app} ${caller}`)
        if (read.length === 4) resolve()
      })
    }
  })
  await all
  expect(read).toEqual(['a x', 'b z', 'a y', 'a x'])
})
