import { load, save, tab } from './stored.ts'

/**
 * Places of this tab across page loads: its address (slot '') and its stage in each funnel (slot f + id), each with the
 * time since when.
 */
let place: Record<string, [at: never, since: number] | undefined> = {}

/**
 * Moves to a place of a slot, and reports which place was left and since when the tab was there. Does nothing when it
 * is already there.
 */
export const move = <T extends string | number>(
  slot: string,
  to: T,
  now: number,
  report: (from: T | undefined, since: number) => void,
  always?: boolean,
): void => {
  // read each time: a page restored from the browser's cache must see what later pages wrote
  place = load(tab, place)
  const [from, since = now] = place[slot] || []
  if (from !== to || always) {
    place[slot] = [to as never, now]
    save(tab, place)
    report(from, since)
  }
}
