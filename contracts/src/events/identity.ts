/**
 * Who an event belongs to, as the user tables store it: `user` is the user_id in effect when the event was counted, or
 * '' when its device had not been identified yet. Such anonymous rows belong to the first user the device is ever
 * identified as, else to the device itself.
 */
export interface Visitor {
  readonly user: string
  readonly device: string
}

/**
 * The one text that stands for a person in counts: `u:` + user_id or `d:` + device_id, so that the two name spaces
 * never meet.
 */
export function personKey(visitor: Visitor, firstUserOfDevice: string | undefined): string {
  if (visitor.user !== '') return `u:${visitor.user}`
  return firstUserOfDevice === undefined ? `d:${visitor.device}` : `u:${firstUserOfDevice}`
}

export type CountBy = 'person' | 'device'
