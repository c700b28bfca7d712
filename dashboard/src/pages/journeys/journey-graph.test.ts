import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JourneyResult } from '@hopper/contracts'
import { isListable, journeyGraph, wayThrough, type JourneyNode } from './journey-graph.ts'

/** Counts paths as the API does. */
function answerOf(paths: readonly (readonly string[])[], depth: number, isBackward: boolean): JourneyResult {
  const nodes = new Map<string, JourneyResult['nodes'][number]>()
  const links = new Map<string, JourneyResult['links'][number]>()
  for (const path of paths) {
    const way = isBackward ? path.slice(-depth) : path.slice(0, depth)
    const first = isBackward ? depth - way.length : 0
    const ids: string[] = way.map((value, i) => {
      const id = `${first + i}:${value}`
      nodes.set(id, { id, step: first + i, value, users: (nodes.get(id)?.users ?? 0) + 1 })
      return id
    })
    if (!isBackward && path.length < depth) {
      const id = `${path.length}/exit`
      nodes.set(id, { id, step: path.length, value: 'exit', users: (nodes.get(id)?.users ?? 0) + 1, kind: 'exit' })
      ids.push(id)
    }
    ids.slice(1).forEach((to, i) => {
      const from = ids[i]!
      links.set(`${from} ${to}`, { from, to, users: (links.get(`${from} ${to}`)?.users ?? 0) + 1 })
    })
  }
  return { nodes: [...nodes.values()], links: [...links.values()] }
}

const names = (nodes: readonly JourneyNode[]): string[] => nodes.map(({ id, users }) => `${id} ${users}`)
const shopping = [
  ['home', 'cart', 'thanks'],
  ['home', 'cart', 'thanks'],
  ['home', 'cart'],
  ['home', 'help', 'cart'],
  ['help'],
]

describe('the graph of journeys', () => {
  it('has the most used places of each column, the others as one, and the exits', () => {
    const graph = journeyGraph(answerOf(shopping, 3, false), 1)
    expect(graph.columns.map(names)).toEqual([
      ['0:home 4', '0/other 1'],
      ['1:cart 3', '1/other 1', '1/exit 1'],
      ['2:thanks 2', '2/other 1', '2/exit 1'],
    ])
    expect(graph.links.map(({ from, to, users }) => `${from.id} ${to.id} ${users}`)).toEqual([
      '0:home 1:cart 3',
      '0:home 1/other 1',
      '0/other 1/exit 1',
      '1:cart 2:thanks 2',
      '1:cart 2/exit 1',
      '1/other 2/other 1',
    ])
    expect(graph.links.map(isListable)).toEqual([true, false, false, true, true, false])
  })

  it('that ends at a place also shows people who were nowhere before', () => {
    const graph = journeyGraph(answerOf([['help', 'cart'], ['cart'], ['home', 'help', 'cart']], 3, true))
    expect(graph.columns.map(names)).toEqual([['0:home 1', '0/entry 1'], ['1:help 2', '1/entry 1'], ['2:cart 3']])
    expect(graph.links.map(({ from, to, users }) => `${from.id} ${to.id} ${users}`)).toContain('1/entry 2:cart 1')
  })

  it('loses nobody: as many people enter a place as it has, and no more leave it', () => {
    const paths = fc.array(fc.array(fc.constantFrom(...'abcdefgh'), { minLength: 1, maxLength: 6 }), { minLength: 1 })
    fc.assert(
      fc.property(
        paths,
        fc.integer({ min: 2, max: 5 }),
        fc.integer({ min: 1, max: 4 }),
        fc.boolean(),
        (all, depth, shown, isBackward) => {
          const { columns, links } = journeyGraph(answerOf(all, depth, isBackward), shown)
          for (const node of columns.flat()) {
            const coming = links.filter(({ to }) => to === node).reduce((sum, { users }) => sum + users, 0)
            const going = links.filter(({ from }) => from === node).reduce((sum, { users }) => sum + users, 0)
            if (node.column > 0 && node.kind !== 'entry') expect(coming).toBe(node.users)
            expect(going).toBeLessThanOrEqual(node.users)
            expect(columns[node.column]).toContain(node)
          }
          expect(links.every(({ from, to }) => to.column === from.column + 1)).toBe(true)
        },
      ),
    )
  })

  it('finds the most used way through a link, each place once', () => {
    const graph = journeyGraph(answerOf([...shopping, ['home', 'cart', 'home']], 3, false))
    const link = (from: string, to: string) => graph.links.find((one) => one.from.id === from && one.to.id === to)!
    expect(wayThrough(graph, link('1:cart', '2:thanks'), false)).toEqual(['home', 'cart', 'thanks'])
    expect(wayThrough(graph, link('1:cart', '2:home'), false)).toEqual(['home', 'cart'])
    expect(wayThrough(graph, link('1:cart', '2/exit'), false)).toEqual(['home', 'cart'])
    const back = journeyGraph(answerOf(shopping, 3, true))
    const [first] = back.links.filter(({ from }) => from.id === '0:home')
    expect(wayThrough(back, first!, true)).toEqual(['home', 'cart', 'thanks'])
  })
})
