import { limits, type Event } from '@hopper/contracts'

/**
 * How many events an event stands for: a sender that keeps one of ten says `samplerate` 10. Sets of visitors know no
 * weight.
 */
export function weightOf({ samplerate = 1 }: Event): number {
  return samplerate
}

/**
 * The time that an event adds to a sum of durations, for all the events that it stands for; bounded, so that a sum
 * stays exact.
 */
export function weightedMs(elapsedMs: number, weight: number): number {
  return weight === 1 ? elapsedMs : Math.min(elapsedMs * weight, limits.sampledElapsedMsMax)
}
