import type { Context, EventOf } from '@hopper/contracts'

/**
 * Whether a hover was one of a mouse: only that shows hesitation, as a finger is on an element when it presses it. An
 * event that does not name its pointer is a finger's on a phone or tablet, else a mouse's.
 */
export function isByMouse({ pointer }: EventOf<'btn_time'>, { device }: Context): boolean {
  return pointer === undefined ? device !== 'mobile' && device !== 'tablet' : pointer === 'mouse'
}
