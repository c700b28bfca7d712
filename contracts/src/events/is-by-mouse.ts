import type { Context } from './envelope.ts'
import type { EventOf } from './event.ts'

/**
 * Returns whether a mouse hovered: only a mouse shows hesitation, since a finger is on an element only to press it. An
 * event without a pointer type counts as a finger on a phone or tablet, else as a mouse.
 */
export function isByMouse({ pointer }: EventOf<'btn_time'>, { device }: Context): boolean {
  return pointer === undefined ? device !== 'mobile' && device !== 'tablet' : pointer === 'mouse'
}
