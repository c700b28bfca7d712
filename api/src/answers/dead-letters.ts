import { Type, type Static } from 'typebox'
import { deadLetterReasons } from '@hopper/contracts'

export const LETTERS_DEFAULT = 50
export const LETTERS_MAX = 100
/** Bytes of messages in one page; it has at least one letter. */
export const PAGE_BYTES_MAX = 1_000_000
export const REPLAYED_MAX = 100

export const DeadLettersParameters = Type.Object({
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: LETTERS_MAX,
      description: `letters; default: ${LETTERS_DEFAULT}. A page may have fewer, even none, and still have a \`next\``,
    }),
  ),
  cursor: Type.Optional(
    Type.String({ pattern: '^[0-9]{1,4}\\.[0-9]{1,15}$', description: '`next` of the previous page' }),
  ),
})
export type DeadLettersParameters = Static<typeof DeadLettersParameters>

export const DeadLetters = Type.Object({
  rows: Type.Array(
    Type.Object({
      lane: Type.Integer(),
      position: Type.Integer(),
      reason: Type.Enum([...deadLetterReasons]),
      detail: Type.String(),
      app: Type.Union([Type.String(), Type.Null()], { description: 'as far as the message names it' }),
      received_at: Type.Union([Type.Integer(), Type.Null()]),
      bytes: Type.Integer(),
      text: Type.Optional(Type.String({ description: 'the message, if it is UTF-8' })),
      base64: Type.Optional(Type.String({ description: 'the message, if it is not' })),
    }),
    { description: 'by lane and position' },
  ),
  next: Type.Union([Type.String(), Type.Null()], { description: '`cursor` of the next page; null after the last' }),
})
export type DeadLetters = Static<typeof DeadLetters>

export const LettersToReplay = Type.Object({
  lane: Type.Integer({ minimum: 0, maximum: 1_023 }),
  positions: Type.Array(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }), {
    minItems: 1,
    maxItems: REPLAYED_MAX,
  }),
  value: Type.Optional(
    Type.Object(
      {},
      {
        additionalProperties: true,
        description:
          'the corrected message, an envelope of the same app, in the place of the one letter that `positions` names',
      },
    ),
  ),
})
export type LettersToReplay = Static<typeof LettersToReplay>

export const ReplayedLetters = Type.Object({
  replayed: Type.Integer({ description: 'letters that are in the log again and no longer in the list' }),
  left: Type.Array(
    Type.Object({
      lane: Type.Integer(),
      position: Type.Integer(),
      why: Type.String({ description: 'why it stays where it is' }),
    }),
  ),
})
export type ReplayedLetters = Static<typeof ReplayedLetters>
