import { Client, errors, type types } from 'cassandra-driver'
import { describe, expect, it, onTestFinished } from 'vitest'
import { withOverrides } from '../../with-overrides.ts'
import { withUnavailableErrors } from './unavailable-errors.ts'

const answer = { rowLength: 0 } as types.ResultSet
const idempotent = { isIdempotent: true }

/** A client whose calls time out `failures` times before they are answered; `calls` counts them. */
function slowClient(failures: number, error: Error = new errors.OperationTimedOutError('no reply', 'node')) {
  const client = new Client({ contactPoints: ['127.0.0.1:1'], localDataCenter: 'dc1' })
  onTestFinished(() => client.shutdown())
  const sent = { calls: 0 }
  const send = (): Promise<types.ResultSet> =>
    sent.calls++ < failures ? Promise.reject(error) : Promise.resolve(answer)
  return { sent, client: withOverrides(client, { execute: send, batch: send }) }
}

describe('a client of a command', () => {
  it('repeats an idempotent call until Cassandra answers', async () => {
    const { sent, client } = slowClient(2)
    const patient = withUnavailableErrors(client, 60_000)
    expect(await patient.execute('SELECT', [], idempotent)).toBe(answer)
    expect(await patient.batch([], idempotent)).toBe(answer)
    expect(sent.calls).toBe(4)
  })

  it('gives up after its time', async () => {
    const { sent, client } = slowClient(Infinity)
    await expect(withUnavailableErrors(client, 1).execute('SELECT', [], idempotent)).rejects.toMatchObject({
      code: 'HOP_STORE_UNAVAILABLE',
    })
    expect(sent.calls).toBe(2)
  })

  it('never repeats a write that may have been applied, nor an invalid request', async () => {
    const counter = slowClient(1)
    await expect(withUnavailableErrors(counter.client, 60_000).execute('UPDATE', [])).rejects.toMatchObject({
      code: 'HOP_STORE_UNAVAILABLE',
    })
    expect(counter.sent.calls).toBe(1)
    const wrong = slowClient(1, new errors.ResponseError(0x2000, 'syntax error'))
    const call = withUnavailableErrors(wrong.client, 60_000).execute('SELEKT', [], idempotent)
    await expect(call).rejects.toThrow('syntax error')
    expect(wrong.sent.calls).toBe(1)
  })
})

it('fails immediately without such a time, as a call of the API must', async () => {
  const { sent, client } = slowClient(1)
  await expect(withUnavailableErrors(client).execute('SELECT', [], idempotent)).rejects.toMatchObject({
    code: 'HOP_STORE_UNAVAILABLE',
  })
  expect(sent.calls).toBe(1)
})
