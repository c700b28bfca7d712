/** Values of an event; nested objects are flattened and lists become texts by the server, nulls are left out. */
export type Data = Record<string, unknown>

/** The methods of `window.hopper`. Each works from the first call on, and none throws. */
export interface HopperMethods {
  /** Records an event of your own. */
  track(name: string, data?: Data): void
  /** Identifies the visitor from now on; `traits` are properties of the user. */
  identify(user: string | number, traits?: Data): void
  /** Begins another visitor: call it at logout. */
  reset(): void
  /** `true`: record and send from now on, and send the events held in memory; `false`: the same as `optOut`. */
  consent(given: boolean): void
  /** Deletes the stored data and records nothing on this device any more; `consent(true)` reverts that. */
  optOut(): void
}

/** `hopper(name, data)` is short for `hopper.track(name, data)`. */
export type Hopper = HopperMethods & ((name: string, data?: Data) => void)

/** Call that a page makes before the script has loaded. */
export type EarlyCall = {
  [M in keyof HopperMethods]: [name: M, ...args: Parameters<HopperMethods[M]>]
}[keyof HopperMethods]
