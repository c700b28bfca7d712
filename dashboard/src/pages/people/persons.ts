import type { Meta } from '@hopper/contracts'
import type { TimelineEvent } from '../../format/event-text.ts'

export type Attributes = Readonly<Record<string, unknown>>

/** A row of `GET persons`. */
export interface ListedPerson {
  readonly id: string
  readonly users: readonly string[]
  readonly devices: number
  readonly first_seen: number
  readonly last_seen: number
  readonly events: number
  readonly traits: Attributes
  readonly properties: Attributes
}

/** The answer of `GET persons`. */
export interface Persons {
  readonly persons: readonly ListedPerson[]
  readonly next?: string
  readonly meta: Meta
}

/** The answer of `GET persons/:id`. */
export interface Person {
  readonly id: string
  readonly users: readonly string[]
  readonly devices: readonly {
    readonly device_id: string
    readonly first: number
    readonly last: number
    readonly events: number
  }[]
  readonly traits: Attributes
  readonly properties: Attributes
  readonly events: number
  readonly timeline: readonly TimelineEvent[]
  readonly next?: string
  readonly meta: Meta
}

/** Formats a trait or computed property. */
export function attributeText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Returns the attributes that have a value, as pairs of name and text. */
export function attributesOf(attributes: Attributes): (readonly [name: string, text: string])[] {
  return Object.entries(attributes)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => [name, attributeText(value)] as const)
}
