/** Bytes of a secret. */
export const SECRET_BYTES = 32

/** Time from which a secret exists no more. */
export interface Lifetime {
  /** ms since the epoch */
  readonly now: number
  /** ms since the epoch */
  readonly expiresAt: number
}

/**
 * Random secrets that all processes of an installation share. They are not part of the registry: no dump, export or log
 * contains them, and an installation that loses them only invalidates what was derived from them.
 */
export interface Secrets {
  /**
   * Returns the secret with a name: random bytes, created by the first call. Concurrent calls of several processes get
   * the same. One with a lifetime is deleted when it expires and cannot be recovered; a later call with the same name
   * creates another.
   * @throws HopperError HOP_STORE_UNAVAILABLE when the store does not answer
   */
  secret(name: string, lifetime?: Lifetime): Promise<Uint8Array>
  /** Deletes the secrets that have expired at `now` (ms since the epoch), where the engine does not do so by itself. */
  removeExpired(now: number): Promise<void>
}
