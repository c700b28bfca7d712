/** Addresses of the real engines of a test run. */
export interface Engines {
  readonly kafka: string
  readonly cassandra: string
  readonly dataCenter: string
}

declare module 'vitest' {
  export interface ProvidedContext {
    /** undefined when this run has no engines: suites that need them are skipped, and one line says so */
    engines: Engines | undefined
    /** true when this run takes the time for every repetition (HOPPER_THOROUGH=1) */
    thorough: boolean
  }
}
