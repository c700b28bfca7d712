import { randomUUID } from 'node:crypto'
import { HopperError, limits, personDigest, type Forget, type ForgottenKind } from '@hopper/contracts'
import type { Storage } from '../ports/storage.ts'
import type { TableReader } from '../ports/tables.ts'

/** Requests of an app that may wait at a time: each reads the app's archive and log. */
const PENDING_MAX = 1_000

/** A person to be forgotten. */
export interface ForgetRequest {
  readonly app: string
  readonly kind: ForgottenKind
  /** id of the user or device */
  readonly person: string
  /** ms since the epoch */
  readonly requestedAt: number
}

/** Splits the id of a person, `u:USER` or `d:DEVICE`; without a prefix it is a user. */
export function personOf(id: string): Pick<ForgetRequest, 'kind' | 'person'> {
  if (!/^[ud]:/.test(id)) return { kind: 'user', person: id }
  return { kind: id.startsWith('d:') ? 'device' : 'user', person: id.slice(2) }
}

/**
 * Asks the owners of the lanes to forget a person: everything that was appended to the log before. A person who is
 * being forgotten already gets no second request.
 * @throws HopperError HOP_LIMIT for a user with too many devices, and while too many requests wait
 */
export async function requestForget(
  { registry, reader, log }: Pick<Storage, 'registry' | 'reader' | 'log'>,
  { app, kind, person, requestedAt }: ForgetRequest,
): Promise<Forget> {
  const digest = personDigest(app, kind, person)
  const pending = (await registry.forgets.list(app)).filter(({ finished_at }) => finished_at === undefined)
  const known = pending.find((forget) => forget.digest === digest)
  if (known) return known
  if (pending.length >= PENDING_MAX)
    throw new HopperError('HOP_LIMIT', `${PENDING_MAX} persons are being forgotten; ask again when some are done.`, {
      details: { pending_max: PENDING_MAX },
    })
  if (kind === 'user') await devicesOfUser(reader, app, person)
  const id = randomUUID()
  const forget: Forget = { id, app, kind, person, digest, requested_at: requestedAt, ends: await log.ends() }
  await registry.forgets.put(app, id, forget)
  return forget
}

/**
 * All devices that were identified as a user.
 * @throws HopperError HOP_LIMIT when they are too many to be forgotten together
 */
export async function devicesOfUser(reader: TableReader, app: string, user: string): Promise<readonly string[]> {
  const max = limits.forgottenDevicesMax
  const devices = await reader.devicesOf(app, user, max + 1)
  if (devices.length <= max) return devices
  throw new HopperError('HOP_LIMIT', `This user has more than ${max} devices; forget the devices one by one.`, {
    details: { devices_max: max },
  })
}
