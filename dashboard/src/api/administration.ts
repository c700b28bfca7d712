/** Answers of administration that no other workspace needs, as the API documents them. */
export type Power = 'write' | 'read' | 'admin'

export interface Key {
  readonly id: string
  readonly power: Power
  readonly hint: string
  readonly created_at: number
}

export interface CreatedKey extends Key {
  /** shown this once */
  readonly key: string
}
