import { expect } from 'vitest'
import { keys, type Installation } from './installation.fixture.ts'

/** Calls of one query of the app `shop`, with the read key. */
export interface QueryCalls<T> {
  /** Sends the query with more fields and headers. */
  send(body: object, headers?: object): ReturnType<Installation['send']>
  /** Sends the query, and expects an answer. */
  ask(body: object): Promise<T>
}

/** Returns the calls of a query by its path below the app; `common` has the fields that each of them sends. */
export function queryCalls<T>(hopper: () => Installation, path: string, common: object): QueryCalls<T> {
  const send: QueryCalls<T>['send'] = (body, headers = {}) =>
    hopper().send('POST', `/api/v1/apps/shop/${path}`, { ...common, ...body }, { 'x-api-key': keys.read, ...headers })
  return {
    send,
    ask: async (body) => {
      const { status, body: answer } = await send(body)
      expect([status, answer]).toMatchObject([200, {}])
      return answer
    },
  }
}
