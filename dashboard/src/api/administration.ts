/** Administration responses that no other workspace uses, as documented by the API. */
export type Power = 'write' | 'read' | 'admin'

export interface Key {
  readonly id: string
  readonly power: Power
  readonly hint: string
  readonly created_at: number
}

export interface CreatedKey extends Key {
  /** shown only once */
  readonly key: string
}
