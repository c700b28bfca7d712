import { expect, it } from 'vitest'
import { Traits } from './traits.ts'

const place = (time: number): [number, number, number, number, number] => [time, 0, 0, 0, 0]

it('keeps the last value by time, whatever the order in which facts are added', () => {
  const facts = [3, 1, 2].map(
    (time) => new Map([['plan', new Map([['ann', { value: `p${time}`, place: place(time) }]])]]),
  )
  const traits = new Traits()
  for (const each of facts) traits.add(each)
  expect(traits.of('ann')).toEqual({ plan: 'p3' })
  expect(traits.valuesOf('plan').ofUser('ann')).toBe('p3')
  expect(traits.valuesOf('plan').ofUser('bob')).toBeNull()
  expect(traits.valuesOf('city').ofUser('ann')).toBeNull()
})

it('is bounded in bytes: more than fits is an error that says what to do', () => {
  const long = 'x'.repeat(2_048)
  const users = new Map(Array.from({ length: 40_000 }, (_, i) => [`user ${i}`, { value: long, place: place(i) }]))
  expect(() => new Traits().add(new Map([['bio', users]]))).toThrow('take more than 128 MB')
})
