export { Hopper, init, type FlushOptions, type HopperFigures } from './hopper.ts'
export { HopperClientError, type ClientErrorCode } from './client-error.ts'
export type { HopperOptions } from './options.ts'
export type { Identification, Tracked, Traits } from './wire-event.ts'
