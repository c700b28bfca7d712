import { openEmbedded } from '@hopper/storage/embedded'
import { limits } from '@hopper/contracts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { assertBoundedText } from './assert-bounded.ts'
import { keys, openInstallation, type Installation } from '../../testing/installation.fixture.ts'

let hopper: Installation
let url: string

beforeAll(async () => {
  hopper = await openInstallation(openEmbedded)
  await hopper.app.listen(0, '127.0.0.1')
  url = `${await hopper.app.getUrl()}/api/v1/apps/shop`
})
afterAll(() => hopper.close())

const send = (body: string): Promise<Response> =>
  fetch(`${url}/query`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': keys.read },
    body,
  })
const query = (filters: unknown[]): string =>
  JSON.stringify({ start: '2026-03-01', end: '2026-03-02', data: [{ name: 'all', filters }] })
const isBounded = (text: string): boolean => {
  try {
    assertBoundedText(Buffer.from(text))
    return true
  } catch {
    return false
  }
}

test('oversized bodies are recognized by their bytes', () => {
  expect(isBounded(`{"a":[${'1,'.repeat(10_000)}1]}`)).toBe(true)
  expect(isBounded(JSON.stringify({ text: '[[[['.repeat(1_000), quoted: `"\\${','.repeat(60_000)}` }))).toBe(true)
  expect(isBounded('['.repeat(26))).toBe(false)
  expect(isBounded(`{"a":[${'1,'.repeat(20_000)}1]}`)).toBe(false)
  expect(isBounded('{"a":1}}}}]]]')).toBe(true)
})

test('a body of 64 KB is read; one byte more is refused with 413', async () => {
  const body = query([{ type: 'in', key: 'text', values: Array.from({ length: 1_000 }, (_, i) => `${i}`) }])
  expect((await send(body.padEnd(limits.apiBodyBytesMax))).status).toBe(200)
  const refused = await send(body.padEnd(limits.apiBodyBytesMax + 1))
  expect([refused.status, await refused.json()]).toMatchObject([413, { error: { code: 'HOP_BODY_TOO_LARGE' } }])
})

test('a too deep body, and one of too many values, is refused before it is parsed', async () => {
  for (const body of [`${'['.repeat(30_000)}${']'.repeat(30_000)}`, `{"a":[${'1,'.repeat(30_000)}1]}`]) {
    const answer = await send(body)
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: { code: 'HOP_PARAM_INVALID' } }])
  }
})

test.each([
  ['{"start":', 'Unexpected end of JSON input'],
  ['{"start" 1}', "Expected ':' after property name in JSON at position 9"],
  ['{"__proto__":{"start":"2026-03-01"}}', 'No key may be named "__proto__"'],
  ['{"constructor":{"prototype":{}}}', 'No key may be named "__proto__" or "constructor"'],
])('the refusal of %s says what is wrong with it', async (body, reason) => {
  const answer = await send(body)
  const { error } = (await answer.json()) as { error: { code: string; message: string } }
  expect([answer.status, error.code]).toEqual([400, 'HOP_BODY_INVALID'])
  expect(error.message).toContain(reason)
})

test('one fault behind thousands of valid filters is named', async () => {
  const valid = { type: 'or', filters: Array.from({ length: 100 }, () => ({ type: 'eq', key: 'a', value: 'b' })) }
  const answer = await send(query([...Array.from({ length: 17 }, () => valid), { type: 'eq', key: 'a', value: {} }]))
  expect([answer.status, await answer.json()]).toMatchObject([
    400,
    { error: { details: { fields: [{ field: 'data[0].filters[17].value' }] } } },
  ])
})
