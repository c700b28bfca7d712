import { expect, it } from 'vitest'
import { ClickSelector } from './click-selector.ts'
import { StageMatcher } from './stage-matcher.ts'

const rule = { keep_parameters: [] }

it.each([
  ['#add', "//*[@id='add']", true],
  ['#add', '//*[@id="add"]', true],
  ['#add', "//*[@id='add2']", false],
  ['button#add', "//*[@id='add']", true],
  ['#other, #add', "//*[@id='add']", true],
  ['[id="add"]', "//*[@id='add']", true],
  ["[data-hopper='buy, now']", "//*[@data-hopper='buy, now']", true],
  ['#a\\:b', "//*[@id='a:b']", true],
  ['#add', "//*[@id='add']/span[1]/svg[1]", true],
  ['button', '/html[1]/body[1]/button[2]', true],
  ['BUTTON', '/html[1]/body[1]/button[2]/span[1]', true],
  ['button', "//*[@id='add']", false],
  ['*', '/html[1]/body[1]', true],
  ['.buy', '/html[1]/body[1]/button[2]', false],
  ['main button', '/html[1]/body[1]/main[1]/button[2]', false],
  ['button:hover', '/html[1]/body[1]/button[2]', false],
  ['.buy, button', '/html[1]/body[1]/button[2]', true],
  ['#add', "it's no path", false],
  ['', '/html[1]', false],
  ['###', "//*[@id='#']", false],
])('the selector %j and the click on %j: %j', (selector, xpath, expected) => {
  expect(new ClickSelector(selector).matches(xpath)).toBe(expected)
})

it('enters the last matching stage of each funnel', () => {
  const matcher = new StageMatcher(
    [
      {
        id: 'f',
        stages: [
          { id: 1, name: 'all', url: '/products*' },
          { id: 7, name: 'one', url: '/products/lamp' },
          { id: 2, name: 'add', click: '#add' },
        ],
      },
      { id: 'g', stages: [{ id: 3, name: 'shop', url: 'https://shop.example/*' }] },
      { id: 'h', stages: [{ id: 4, name: 'nothing' }] },
    ],
    rule,
  )
  expect(matcher.ofUrl('https://shop.example/products/lamp/?utm=1#x')).toEqual([
    { funnel: 'f', stage: 7 },
    { funnel: 'g', stage: 3 },
  ])
  expect(matcher.ofUrl('https://shop.example/products/rug')).toEqual([
    { funnel: 'f', stage: 1 },
    { funnel: 'g', stage: 3 },
  ])
  expect(matcher.ofUrl('https://other.example/')).toEqual([])
  expect(matcher.ofUrl('')).toEqual([])
  expect(matcher.ofTarget("//*[@id='add']")).toEqual([{ funnel: 'f', stage: 2 }])
})
