import { expect, it } from 'vitest'
import { csvOf } from './csv-of-rows.ts'

it('writes rows as CSV, in which a spreadsheet takes no text for a formula', () => {
  expect(
    csvOf(['page', 'price'], [{ page: 'a "b", c', price: 1.5 }, { page: '=1+1' }, { page: { a: 1 }, price: -2 }]),
  ).toBe('page,price\r\n"a ""b"", c",1.5\r\n\'=1+1,\r\n"{""a"":1}",-2\r\n')
})
