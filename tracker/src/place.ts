import { load, save, tab } from './stored.ts'

/**
 * Where this tab stands, through its loads of pages: its address (slot '') and its stage in each funnel (slot f + id),
 * each since when.
 */
let place: Record<string, [at: never, since: number] | undefined> = {}

/**
 * Moves to a place of a slot and reports which one was left, and since when the tab was there; nothing happens when it
 * is there already.
 */
export const move = <T extends string | number>(
  slot: string,
  to: T,
  now: number,
  report: (from: T | undefined, since: number) => void,
  always?: boolean,
): void => {
  // read each time: a page that comes back from the browser's cache must see what later pages wrote
  place = load(tab, place)
  const [from, since = now] = place[slot] || []
  if (from !== to || always) {
    place[slot] = [to as never, now]
    save(tab, place)
    report(from, since)
  }
}
