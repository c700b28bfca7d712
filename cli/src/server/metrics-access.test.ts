import { expect, test } from 'vitest'
import { metricsAccess } from './metrics-access.ts'

const bearer = (token: string): { authorization: string } => ({ authorization: `Bearer ${token}` })

test('without a token, only this machine reads the metrics', () => {
  const check = metricsAccess(undefined)
  for (const ip of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) expect(() => check({ ip, headers: {} })).not.toThrow()
  for (const ip of ['10.0.0.1', '2001:db8::1']) expect(() => check({ ip, headers: {} })).toThrow(/this machine only/)
})

test('with a token, everybody needs it', () => {
  const check = metricsAccess('s3cret-token')
  expect(() => check({ ip: '10.0.0.1', headers: bearer('s3cret-token') })).not.toThrow()
  expect(() => check({ ip: '127.0.0.1', headers: {} })).toThrow(/Bearer TOKEN/)
  expect(() => check({ ip: '127.0.0.1', headers: bearer('s3cret-toke') })).toThrow(/not the token/)
})
