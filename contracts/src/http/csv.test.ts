import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toCsv } from './csv.ts'

/** An RFC 4180 parser, for the round-trip test below. */
function parse(csv: string): string[][] {
  const rows: string[][] = [[]]
  for (const [, quoted, plain, end] of csv.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    rows.at(-1)!.push(quoted === undefined ? plain! : quoted.replaceAll('""', '"'))
    if (end === '\r\n') rows.push([])
  }
  return rows.slice(0, -1)
}

test('any text round-trips once the apostrophe before formulas is removed', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(
          fc.string(),
          fc.string({ unit: fc.constantFrom("'", '=', '+', '-', '@', '＝', '\t', '\r', '\n', '"', ',', 'a') }),
        ),
        { minLength: 1 },
      ),
      (pairs) => {
        const read = parse(
          toCsv(
            ['a', 'b'],
            pairs.map(([a, b]) => ({ a, b })),
          ),
        )
        const plain = (text: string): string => (/^'+[=+\-@\t\r\n＝＋－＠]/.test(text) ? text.slice(1) : text)
        for (const text of read.flat()) expect(text).not.toMatch(/^[=+\-@\t\r\n＝＋－＠]/)
        expect(read.map((row) => row.map(plain))).toEqual([['a', 'b'], ...pairs])
      },
    ),
  )
})

test('writes a byte-order mark, and a decimal comma with semicolons between cells', () => {
  expect(toCsv(['a', 'b'], [{ a: 'é', b: 0.5 }], { bom: true })).toBe('\ufeffa,b\r\né,0.5\r\n')
  const rows = [
    { a: 'x;y', b: -1.25 },
    { a: 'x,y', b: 7 },
    { a: '=1;"', b: null },
  ]
  expect(toCsv(['a', 'b'], rows, { decimalComma: true })).toBe('a;b\r\n"x;y";-1,25\r\n"x,y";7\r\n"\'=1;""";\r\n')
})

test('writes numbers, including negative ones, and empty cells', () => {
  expect(toCsv(['a', 'b'], [{ a: -1.5, b: null }])).toBe('a,b\r\n-1.5,\r\n')
})
