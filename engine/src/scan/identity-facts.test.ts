import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { world } from '../contract/random-world.ts'
import { identityFacts, IdentityIndex } from './identity-facts.ts'
import type { Identities } from './identities.ts'

const plain = ({ keys, rests, firstUser, shared, users }: Identities): object[] =>
  Array.from(keys, (key, i) => ({ key, rest: rests[i], first: users[firstUser[i]!], shared: shared[i] }))

it(
  'facts of chunks, added in any order and any number of times, result in the same identities',
  { timeout: 60_000 },
  () => {
    fc.assert(
      fc.property(world, fc.infiniteStream(fc.nat()), fc.integer({ min: 1, max: 4 }), (generated, order, atOnce) => {
        const facts = generated.chunks.flat().map(identityFacts)
        const shuffled = facts
          .map((each) => ({ each, key: order.next().value }))
          .sort((a, b) => a.key - b.key)
          .map(({ each }) => each)
        const index = new IdentityIndex()
        for (let i = 0; i < shuffled.length; i += atOnce) index.add(shuffled.slice(i, i + atOnce))
        const identities = index.identities()
        expect(plain(identities)).toEqual(plain(generated.identities))
        expect(index.add(shuffled)).toBe(false)
        expect(index.identities()).toBe(identities)
      }),
      { numRuns: 100 },
    )
  },
)
