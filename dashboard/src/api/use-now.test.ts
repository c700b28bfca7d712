import { expect, it } from 'vitest'
import { peopleByPage } from './use-now.ts'

it('each person is on the page that it opened last, and the page with the most people comes first', () => {
  const view = (person: string, page: string, timestamp: number): Parameters<typeof peopleByPage>[0][number] => ({
    person,
    page,
    timestamp,
  })
  expect(
    peopleByPage([
      view('a', '/', 1),
      view('a', '/cart', 3),
      view('a', '/shop', 2),
      view('b', '/', 9),
      view('c', '/cart', 1),
    ]),
  ).toEqual([
    ['/cart', 2],
    ['/', 1],
  ])
  expect(peopleByPage([])).toEqual([])
})
