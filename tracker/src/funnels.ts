import type { Stage } from '@hopper/contracts'
import { attempt } from './attempt.ts'
import { funnels } from './configuration.ts'
import { move } from './place.ts'
import { track } from './track.ts'

/** Enters, in each funnel, the furthest stage that the test accepts. */
export const enter = (action: 'onUrlChange' | 'onClick', now: number, accepts: (stage: Stage) => unknown): void => {
  void funnels.then((funnels) =>
    funnels.map(({ id, stages }) =>
      stages
        .filter((stage) => attempt(() => accepts(stage)))
        .slice(-1)
        .map(({ id: entered }) =>
          move('f' + id, entered, now, (from, since) => track(4, { action, funnel: id, entered, from }, since, now)),
        ),
    ),
  )
}
