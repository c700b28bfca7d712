import { invalidFields } from '../../http/checked.ts'

/** Encodes the parts of a place in a list as an opaque text for the next page. */
export function cursorOf(parts: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url')
}

/** Decodes the parts of a cursor, unchecked: a caller may send any text. Empty for a text that is not a cursor. */
export function cursorParts(cursor: string): readonly unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    return Array.isArray(parts) ? parts : []
  } catch {
    return []
  }
}

/** The error for a cursor of another list: HOP_PARAM_INVALID. */
export function foreignCursor(list: string): Error {
  return invalidFields([
    {
      field: 'cursor',
      message: `does not belong to this ${list}; send \`next\` of the previous page, or leave it out`,
    },
  ])
}
