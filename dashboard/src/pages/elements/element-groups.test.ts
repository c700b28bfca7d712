import type { ElementRow } from '@hopper/contracts'
import { expect, it } from 'vitest'
import { elementGroups } from './element-groups.ts'

const row = (xpath: string, hovers: number, taps = 0): ElementRow => ({
  xpath,
  people: hovers,
  hovers,
  clicked: 0,
  clicked_share: 0,
  median_click_ms: null,
  median_leave_ms: null,
  taps,
  tapped_by: taps,
})
const stages = [
  { id: 1, name: 'Home', url: '/' },
  { id: 2, name: 'Product', url: '/products/*' },
  { id: 3, name: 'Cart', click: '#add' },
]
const clicks = [
  { url: 'shop.example/products/7', target: "//*[@id='zoom']", hits: 9, average_ms: null },
  { url: 'shop.example/', target: "//*[@id='zoom']", hits: 2, average_ms: null },
  { url: 'shop.example/products/7', target: "//*[@id='add']", hits: 5, average_ms: null },
  { url: 'shop.example/help', target: "//*[@id='chat']", hits: 1, average_ms: null },
]

it('groups elements by the stage that a click enters, else by their page, in the order of the funnel', () => {
  const rows = [row("//*[@id='chat']", 50), row("//*[@id='add']", 30), row("//*[@id='zoom']", 20), row('//b', 1)]
  const elements = [
    { name: 'Add to cart', xpath: "//*[@id='add']" },
    { name: 'Never seen', xpath: "//*[@id='new']" },
  ]
  const groups = elementGroups({ rows, elements, clicks, stages })
  expect(groups.map(({ stage, rows: own }) => [stage?.number, stage?.name, own.map(({ name }) => name)])).toEqual([
    [2, 'Product', ["//*[@id='zoom']"]],
    [3, 'Cart', ['Add to cart']],
    [undefined, undefined, ["//*[@id='chat']", '//b', 'Never seen']],
  ])
  expect(groups.flatMap(({ rows: own }) => own.map(({ page }) => page))).toEqual([
    'shop.example/products/7',
    'shop.example/products/7',
    'shop.example/help',
    undefined,
    undefined,
  ])
})

it('keeps the elements of a page together, the pages of most looks and taps first', () => {
  const clickOf = (page: string, target: string): (typeof clicks)[number] => ({
    url: page,
    target,
    hits: 1,
    average_ms: null,
  })
  const rows = [row('//a', 5), row('//b', 4), row('//c', 1, 8)]
  const groups = elementGroups({
    rows,
    elements: [],
    clicks: [clickOf('x/1', '//a'), clickOf('x/2', '//b'), clickOf('x/2', '//c')],
    stages: [],
  })
  expect(groups.map(({ rows: own }) => own.map(({ xpath }) => xpath))).toEqual([['//c', '//b', '//a']])
})

it('has no groups without elements', () => {
  expect(elementGroups({ rows: [], elements: [], clicks: [], stages })).toEqual([])
})
