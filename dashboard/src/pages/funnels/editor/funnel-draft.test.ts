import { describe, expect, it } from 'vitest'
import {
  copyOf,
  draftOf,
  funnelOf,
  newDraft,
  withNewStage,
  withStage,
  withStageMoved,
  withStagesBefore,
  withoutStage,
} from './funnel-draft.ts'

const funnel = {
  id: 'checkout',
  name: 'Checkout',
  stages: [
    { id: 4, name: 'Home', url: '/*' },
    { id: 7, name: 'Cart', click: '#add' },
  ],
}

describe('a funnel in a form', () => {
  it('round-trips unchanged', () => {
    expect(funnelOf(draftOf(funnel))).toEqual(funnel)
    const both = { ...funnel, stages: [{ id: 2, name: 'Cart', url: '/cart', click: 'button#add' }] }
    expect(funnelOf(draftOf(both))).toEqual(both)
  })

  it('is copied with all conditions of its stages, which get new ids', () => {
    const stages = [
      { id: 4, name: 'Home', url: '/*' },
      { id: 7, name: 'Cart', url: '/cart', click: 'button#add' },
    ]
    expect(funnelOf(copyOf({ ...funnel, stages }))).toEqual({
      id: '',
      name: '',
      stages: stages.map(({ id: _, ...stage }) => stage),
    })
  })

  it('leaves the id of a new stage to the API and keeps the ids of the others', () => {
    const two = withNewStage(withNewStage(withoutStage(draftOf(funnel), 7)))
    const [, first, second] = two.stages
    expect(first!.id).not.toBe(second!.id)
    const draft = withStage(two, second!.id, { name: 'Thanks', pattern: ' /thanks ' })
    expect(funnelOf(draft).stages.map(({ id }) => id)).toEqual([4, undefined, undefined])
    expect(funnelOf(draft).stages[2]).toEqual({ name: 'Thanks', url: '/thanks' })
  })

  it('begins with pages, named as stages that are known or by their last part', () => {
    const draft = newDraft(['/*', '/new-cart', '/products/*'], [funnel])
    expect(draft.stages.map(({ name, pattern }) => [name, pattern])).toEqual([
      ['Home', '/*'],
      ['New cart', '/new-cart'],
      ['Products', '/products/*'],
    ])
    expect(funnelOf(draft).stages.every(({ id }) => id === undefined)).toBe(true)
  })

  it('takes pages and clicks in front of a stage, in their order', () => {
    const draft = withStagesBefore(draftOf(funnel), 2, ['/help', '#add'], [funnel])
    expect(funnelOf(draft).stages).toEqual([
      { id: 4, name: 'Home', url: '/*' },
      { name: 'Help', url: '/help' },
      { name: 'Cart', click: '#add' },
      { id: 7, name: 'Cart', click: '#add' },
    ])
    expect(withStagesBefore(draftOf(funnel), 3, [], [])).toEqual(draftOf(funnel))
  })

  it('moves and removes stages', () => {
    expect(withStageMoved(draftOf(funnel), 7, -1).stages.map(({ id }) => id)).toEqual([7, 4])
    expect(withStageMoved(draftOf(funnel), 4, -1).stages.map(({ id }) => id)).toEqual([4, 7])
    expect(withStageMoved(draftOf(funnel), 4, 5).stages.map(({ id }) => id)).toEqual([7, 4])
    expect(withoutStage(draftOf(funnel), 4).stages.map(({ id }) => id)).toEqual([7])
  })
})
