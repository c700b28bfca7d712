import { pino } from 'pino'
import { expect, it } from 'vitest'
import { formatReadable, redaction } from './logger.ts'

it('writes no key, token or cookie, wherever it occurs in a record', () => {
  let text = ''
  const logger = pino({ redact: redaction }, { write: (line) => (text += line) })
  logger.info(
    {
      key: 'hw_1',
      headers: { authorization: 'Bearer hr_2', 'x-api-key': 'ha_3', cookie: 'c=4' },
      req: { headers: { cookie: 'c=5', token: 't6' } },
    },
    'request',
  )
  for (const secret of ['hw_1', 'hr_2', 'ha_3', 'c=4', 'c=5', 't6']) expect(text).not.toContain(secret)
})

it('formats a record as one line, without the control characters of its values', () => {
  const line = JSON.stringify({
    level: 40,
    time: '2026-01-02T03:04:05.678Z',
    name: 'hopper',
    msg: 'odd\u001b[2J\nvalue',
    page: '/a',
  })
  expect(formatReadable(line)).toBe('03:04:05 warn  hopper: odd [2J value  page=/a\n')
})
