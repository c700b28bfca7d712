import { expect, it } from 'vitest'
import { endLabels, roomForLabels } from './end-labels.ts'

const line = (name: string, ...values: (number | null)[]): Parameters<typeof endLabels>[0][number] => ({
  name,
  values,
  color: '--blue',
})
const down = (value: number): number => 100 - value

it('each line has its name beside its last point, whatever their order', () => {
  const labels = endLabels([line('low', 5, 10, null), line('high', 90), line('none', null)], down, 100)
  expect(labels.map(({ text, at, y }) => [text, at, y])).toEqual([
    ['high', 0, 10],
    ['low', 1, 90],
  ])
})

it('names of lines that end at the same place stand below each other, and above the axis', () => {
  const at = (value: number): number[] =>
    endLabels([line('a', value), line('b', value), line('c', value)], down, 100).map(({ y }) => y)
  expect(at(50)).toEqual([50, 65, 80])
  expect(at(0)).toEqual([70, 85, 100])
})

it('there is no room for names on a phone, for a single line or for many', () => {
  const two = [line('Page views', 1), line('People', 1)]
  expect(roomForLabels(two, 900)).toBe(65)
  expect(roomForLabels(two, 390)).toBe(0)
  expect(roomForLabels(two.slice(1), 900)).toBe(0)
  expect(roomForLabels([...two, ...two, ...two], 900)).toBe(0)
  expect(roomForLabels([line('x'.repeat(160), 1), line('y', 1)], 900)).toBe(104)
})
