import {
  deviceDigest,
  emptyTally,
  personDigest,
  type Forget,
  type ForgetPart,
  type PlaceRange,
} from '@hopper/contracts'
import type { Registry } from '@hopper/storage'

/** The events that a lane has decided to forget. */
interface Decision {
  readonly lane: number
  readonly mark: number
  readonly device: string
  readonly ranges: readonly PlaceRange[]
}

/** Stores that a lane forgets a device at these places, as its owner does before it changes anything else. */
export async function decideToForget(registry: Registry, app: string, decision: Decision): Promise<void> {
  const { lane, mark, device, ranges } = decision
  const id = `forget ${device}`
  const request = { id, app, kind: 'device' as const, digest: personDigest(app, 'device', device), requested_at: 0 }
  const forget: Forget = { ...request, ends: [] }
  const devices = [{ device: deviceDigest(app, device), whole: false, ranges }]
  const decided = { lane, step: 'planned' as const, requested_at: 0, mark, devices, tally: emptyTally }
  const part: ForgetPart = { forget: id, ...decided }
  await registry.forgets.put(app, id, forget)
  await registry.forgetParts.put(app, `${id} ${lane}`, part)
}
