import { limits, type Event } from '@hopper/contracts'

/**
 * Returns how many events a sampled event stands for: a sender that keeps one of ten sends `samplerate` 10. Visitor
 * sets have no weight.
 */
export function weightOf({ samplerate = 1 }: Event): number {
  return samplerate
}

/**
 * Returns the time that an event adds to a sum of durations, for all events that it stands for; bounded, so that a sum
 * stays exact.
 */
export function weightedMs(elapsedMs: number, weight: number): number {
  return weight === 1 ? elapsedMs : Math.min(elapsedMs * weight, limits.sampledElapsedMsMax)
}
