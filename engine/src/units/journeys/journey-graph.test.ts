import fc from 'fast-check'
import { expect, it } from 'vitest'
import { JourneyGraph } from './journey-graph.ts'

const usersOf = (graph: ReturnType<JourneyGraph['finish']>, id: string): number =>
  graph.nodes.find((node) => node.id === id)?.users ?? 0

it('folds the less used places of each step into one if there are too many links, and reports it', () => {
  const graph = new JourneyGraph()
  for (let page = 0; page < 1_500; page++)
    for (let times = 0; times <= page % 3; times++) graph.add(['home', `/p${page}`], 0, true)
  const { nodes, links, truncated } = graph.finish()
  expect(truncated).toBe(true)
  expect(links.length).toBeLessThanOrEqual(1_000)
  expect(links.length).toBeGreaterThan(990)
  expect(nodes.filter(({ kind }) => kind !== undefined).map(({ id, kind }) => [id, kind])).toEqual([
    ['1/other', 'other'],
    ['2/exit', 'exit'],
  ])
  // the most used places keep their own nodes
  expect(
    nodes
      .filter(({ step, kind }) => step === 1 && kind === undefined)
      .slice(0, 490)
      .every(({ users }) => users === 3),
  ).toBe(true)
  expect(usersOf({ nodes, links }, '0:home')).toBe(3_000)
})

it('omits nothing if everything fits', () => {
  const graph = new JourneyGraph()
  graph.add(['exit', 'other'], 0, true)
  expect(graph.finish()).toEqual({
    nodes: [
      { id: '0:exit', step: 0, value: 'exit', users: 1 },
      { id: '1:other', step: 1, value: 'other', users: 1 },
      { id: '2/exit', step: 2, value: 'exit', users: 1, kind: 'exit' },
    ],
    links: [
      { from: '0:exit', to: '1:other', users: 1 },
      { from: '1:other', to: '2/exit', users: 1 },
    ],
  })
  expect(new JourneyGraph().finish()).toEqual({ nodes: [], links: [] })
})

it('has consistent users at every node, incoming and outgoing', () => {
  const ways = fc.array(
    fc.record({
      places: fc.array(fc.constantFrom(...'abcdefgh'), { minLength: 1, maxLength: 5 }),
      leaves: fc.boolean(),
    }),
    { minLength: 1, maxLength: 60 },
  )
  fc.assert(
    fc.property(ways, fc.integer({ min: 24, max: 60 }), (all, linksMax) => {
      const graph = new JourneyGraph()
      for (const { places, leaves } of all) graph.add(places, 0, leaves)
      const found = graph.finish(linksMax)
      expect(found.links.length).toBeLessThanOrEqual(linksMax)
      for (const { id, step, users } of found.nodes) {
        const coming = found.links.filter(({ to }) => to === id).reduce((sum, link) => sum + link.users, 0)
        const going = found.links.filter(({ from }) => from === id).reduce((sum, link) => sum + link.users, 0)
        if (step > 0) expect(coming).toBe(users)
        expect(going).toBeLessThanOrEqual(users)
      }
      const first = found.nodes.filter(({ step }) => step === 0).reduce((sum, { users }) => sum + users, 0)
      expect(first).toBe(all.length)
    }),
  )
})
