import { deviceDigest, laneOf, type Forget, type ForgottenDevice, type PlaceRange } from '@hopper/contracts'
import { devicesOfUser, placeOf, type Identity, type TableReader } from '@hopper/storage'

/** A device with events that a lane forgets. Its id is only kept in memory. */
export interface PlannedDevice extends ForgottenDevice {
  readonly id: string
}

/**
 * Finds the devices of a lane that have events of a person before a position, and the places of these events: those at
 * which a device was the user's, and those before its first identify if it was identified as that user first.
 * @throws HopperError HOP_LIMIT for a user with too many devices
 */
export async function planForget(
  reader: TableReader,
  { app, kind, person }: Forget,
  { lane, lanes, mark }: { readonly lane: number; readonly lanes: number; readonly mark: number },
): Promise<PlannedDevice[]> {
  if (person === undefined) return []
  const end = placeOf(mark, 0)
  const devices = kind === 'device' ? [person] : await devicesOfUser(reader, app, person)
  const planned: PlannedDevice[] = []
  for (const id of devices.filter((each) => laneOf(app, each, lanes) === lane)) {
    const identities = (await reader.identitiesOf(app, id)).filter(({ place }) => place < end)
    const whole = kind === 'device' || identities.every(({ user }) => user === person)
    const ranges: readonly PlaceRange[] = whole ? [[0, end]] : rangesOf(identities, person, end)
    if (ranges.length > 0) planned.push({ id, device: deviceDigest(app, id), whole, ranges })
  }
  return planned
}

/** The places at which a device was a user's. */
function rangesOf(identities: readonly Identity[], user: string, end: number): PlaceRange[] {
  const ranges: [from: number, to: number][] = []
  identities.forEach((identity, index) => {
    if (identity.user !== user) return
    const from = index === 0 ? 0 : identity.place
    const to = identities[index + 1]?.place ?? end
    if (ranges.at(-1)?.[1] === from) ranges.at(-1)![1] = to
    else ranges.push([from, to])
  })
  return ranges
}
