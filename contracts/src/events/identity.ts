/**
 * Owner of an event as stored in the user tables: `user` is the user_id in effect when the event was counted, or '' if
 * its device had not been identified yet. Such anonymous rows belong to the first user that the device is ever
 * identified as, or to the device itself if it never is.
 */
export interface Visitor {
  readonly user: string
  readonly device: string
}

/**
 * Returns the key that identifies a person in counts: `u:` + user_id or `d:` + device_id. The prefixes keep the two
 * namespaces disjoint.
 */
export function personKey(visitor: Visitor, firstUserOfDevice: string | undefined): string {
  if (visitor.user !== '') return `u:${visitor.user}`
  return firstUserOfDevice === undefined ? `d:${visitor.device}` : `u:${firstUserOfDevice}`
}

export type CountBy = 'person' | 'device'
