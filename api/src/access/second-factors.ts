import { createHmac, randomBytes } from 'node:crypto'
import { HopperError, type Member, type SecondFactor } from '@hopper/contracts'
import type { Registry, Secrets } from '@hopper/storage'
import { Inject, Injectable } from '@nestjs/common'
import { Secret, TOTP } from 'otpauth'
import { CLOCK, REGISTRY, SECRETS, type Clock } from '../tokens.ts'
import { newSecret, secretHash } from './secret.ts'

/** RFC 4226, section 4: at least 128 bits, 160 recommended. */
const SECRET_BYTES = 20
const PERIOD_SECONDS = 30
/** A code is valid one period earlier and later too, since clocks of telephones differ: RFC 6238, section 5.2. */
const WINDOW = 1
/** Longer than any code is valid. */
const CLAIM_MS = 5 * PERIOD_SECONDS * 1_000
const RECOVERY_CODES = 10
const RECOVERY_BYTES = 10

type Owner = Pick<Member, 'organization' | 'id'>

/** The secret of a second factor, for the member's authenticator. */
export interface NewSecondFactor {
  /** base32 */
  readonly secret: string
  /** `otpauth:` address, as authenticators read it from a QR code */
  readonly uri: string
}

/** Second factors of members: codes by time (RFC 6238), each valid once, and recovery codes. */
@Injectable()
export class SecondFactors {
  private readonly registry: Registry
  private readonly secrets: Secrets
  private readonly clock: Clock

  constructor(@Inject(REGISTRY) registry: Registry, @Inject(SECRETS) secrets: Secrets, @Inject(CLOCK) clock: Clock) {
    this.registry = registry
    this.secrets = secrets
    this.clock = clock
  }

  async isOn({ organization, id }: Owner): Promise<boolean> {
    return (await this.registry.secondFactors.get(organization, id))?.confirmed_at !== undefined
  }

  /** Lists the members of an organization who have a second factor. */
  async membersWith(organization: string): Promise<ReadonlySet<string>> {
    const all = await this.registry.secondFactors.list(organization)
    return new Set(all.filter(({ confirmed_at }) => confirmed_at !== undefined).map(({ member }) => member))
  }

  async recoveryCodesLeft(owner: Owner): Promise<number> {
    return (await this.recoveryCodesOf(owner)).length
  }

  /**
   * Creates a secret, in place of one that was not confirmed. Once it is confirmed, logins need a code.
   * @throws HopperError HOP_CONFLICT if the member has a second factor
   */
  async begin(owner: Owner): Promise<NewSecondFactor> {
    if (await this.isOn(owner)) throw new HopperError('HOP_CONFLICT', 'You have a second factor; remove it first.')
    const factor: SecondFactor = { member: owner.id, id: randomBytes(16).toString('hex') }
    await this.registry.secondFactors.put(owner.organization, owner.id, factor)
    const totp = await this.totpOf(owner, factor)
    return { secret: totp.secret.base32, uri: totp.toString() }
  }

  /**
   * Turns the second factor on with its first code; returns the recovery codes, which are shown once.
   * @throws HopperError HOP_SECOND_FACTOR for a wrong code, HOP_CONFLICT if nothing waits for one
   */
  async confirm(owner: Owner, code: string): Promise<string[]> {
    const factor = await this.registry.secondFactors.get(owner.organization, owner.id)
    if (!factor || factor.confirmed_at !== undefined)
      throw new HopperError('HOP_CONFLICT', 'No second factor waits for its first code; begin with POST.')
    const used_step = await this.useCode(owner, factor, plain(code))
    await this.removeRecoveryCodes(owner)
    const codes = Array.from({ length: RECOVERY_CODES }, newRecoveryCode)
    for (const each of codes) {
      const hash = secretHash(plain(each))
      await this.registry.recoveryCodes.put(owner.organization, recoveryCodeId(owner.id, hash), {
        member: owner.id,
        hash,
      })
    }
    const confirmed: SecondFactor = { ...factor, confirmed_at: this.clock(), used_step }
    await this.registry.secondFactors.put(owner.organization, owner.id, confirmed)
    return codes
  }

  /**
   * Admits a member without a second factor, and one who sends a valid code, which is then used up.
   * @throws HopperError HOP_SECOND_FACTOR
   */
  async check(owner: Owner, code: string | undefined): Promise<void> {
    const { organization, id } = owner
    const factor = await this.registry.secondFactors.get(organization, id)
    if (factor?.confirmed_at === undefined) return
    if (code === undefined) throw new HopperError('HOP_SECOND_FACTOR')
    const text = plain(code)
    if (await this.registry.recoveryCodes.remove(organization, recoveryCodeId(id, secretHash(text)))) return
    const used_step = await this.useCode(owner, factor, text)
    await this.registry.secondFactors.put(organization, id, { ...factor, used_step })
  }

  /** Removes the second factor with its recovery codes. Returns whether there was one. */
  async remove(owner: Owner): Promise<boolean> {
    await this.removeRecoveryCodes(owner)
    return this.registry.secondFactors.remove(owner.organization, owner.id)
  }

  /**
   * Returns the step of time of a valid code. Of several requests with one code, only one gets it, in any process.
   * @throws HopperError HOP_SECOND_FACTOR for a wrong or used one
   */
  private async useCode(owner: Owner, factor: SecondFactor, code: string): Promise<number> {
    const totp = await this.totpOf(owner, factor)
    const timestamp = this.clock()
    const delta = totp.validate({ token: code, timestamp, window: WINDOW })
    if (delta === null) throw wrongCode()
    const step = totp.counter({ timestamp }) + delta
    const name = `second factor ${factor.id} ${step}`
    const isUsed = step <= (factor.used_step ?? -1)
    if (isUsed || !(await this.registry.claims.claim(name, newSecret(), CLAIM_MS))) throw wrongCode()
    return step
  }

  private async totpOf({ organization, id }: Owner, factor: SecondFactor): Promise<TOTP> {
    const parts = JSON.stringify([organization, id, factor.id])
    const secret = createHmac('sha256', await this.secrets.secret('second factors'))
      .update(parts)
      .digest()
    const bytes = Uint8Array.from(secret.subarray(0, SECRET_BYTES))
    return new TOTP({
      issuer: 'Hopper',
      label: id,
      period: PERIOD_SECONDS,
      secret: new Secret({ buffer: bytes.buffer }),
    })
  }

  private async recoveryCodesOf({ organization, id }: Owner): Promise<string[]> {
    const all = await this.registry.recoveryCodes.list(organization)
    return all.filter(({ member }) => member === id).map(({ hash }) => recoveryCodeId(id, hash))
  }

  private async removeRecoveryCodes(owner: Owner): Promise<void> {
    for (const id of await this.recoveryCodesOf(owner)) await this.registry.recoveryCodes.remove(owner.organization, id)
  }
}

function wrongCode(): HopperError {
  return new HopperError('HOP_SECOND_FACTOR', 'The code is wrong or was used.')
}

/** Ids of members have no spaces. */
function recoveryCodeId(member: string, hash: string): string {
  return `${member} ${hash}`
}

/** Returns 80 random bits as four groups of base32. */
function newRecoveryCode(): string {
  const { base32 } = new Secret({ buffer: Uint8Array.from(randomBytes(RECOVERY_BYTES)).buffer })
  return base32.toLowerCase().replace(/.{4}(?!$)/g, '$&-')
}

/** Returns a code without what people type between its groups. */
function plain(code: string): string {
  return code.replace(/[\s-]/g, '').toLowerCase()
}
