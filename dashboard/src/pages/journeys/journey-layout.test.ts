import { describe, expect, it } from 'vitest'
import { journeyGraph } from './journey-graph.ts'
import { journeyLayout, neighbour } from './journey-layout.ts'

const graph = journeyGraph({
  nodes: [
    { id: '0:home', step: 0, value: 'home', users: 9 },
    { id: '0:help', step: 0, value: 'help', users: 1 },
    { id: '1:cart', step: 1, value: 'cart', users: 6 },
    { id: '1:help', step: 1, value: 'help', users: 2 },
    { id: '1/exit', step: 1, value: 'exit', users: 2, kind: 'exit' },
  ],
  links: [
    { from: '0:home', to: '1:cart', users: 6 },
    { from: '0:home', to: '1:help', users: 2 },
    { from: '0:home', to: '1/exit', users: 1 },
    { from: '0:help', to: '1/exit', users: 1 },
  ],
})

describe('the layout of journeys', () => {
  it('has the columns side by side, in their order, and heights in proportion to people', () => {
    const { nodes, links, width } = journeyLayout(graph, 800)
    const byId = new Map(nodes.map((placed) => [placed.node.id, placed]))
    expect(width).toBe(800)
    const [first, last] = [byId.get('0:home')!, byId.get('1:cart')!]
    expect(first.x + first.width + first.room).toBeCloseTo(last.x)
    expect(last.x + last.width + last.room).toBeCloseTo(width)
    expect(byId.get('1:cart')!.y).toBeLessThan(byId.get('1:help')!.y)
    expect(byId.get('1:help')!.y).toBeLessThan(byId.get('1/exit')!.y)
    expect(byId.get('0:home')!.height / byId.get('1:cart')!.height).toBeCloseTo(9 / 6)
    expect(links.every(({ path }) => path.startsWith('M'))).toBe(true)
  })

  it('is wider than a phone when its columns need it', () => {
    expect(journeyLayout(graph, 200).width).toBeGreaterThan(200)
  })

  it('leads from a place up, down, and across the most used link', () => {
    const [home, help] = graph.columns[0]!
    expect(neighbour(graph, home!, 'right')?.id).toBe('1:cart')
    expect(neighbour(graph, home!, 'down')).toBe(help)
    expect(neighbour(graph, home!, 'up')).toBeUndefined()
    expect(neighbour(graph, graph.columns[1]![2]!, 'left')).toBe(home)
    expect(neighbour(graph, home!, 'left')).toBeUndefined()
  })
})
