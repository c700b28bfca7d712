import { headOf, type DeadLetterReason, type MessageHead } from '@hopper/contracts'
import type { DeadLetter, Storage } from '@hopper/storage'

const LETTERS_PER_READ = 100

/** A dead letter with its lane and the head of its message. */
export interface FoundLetter extends DeadLetter, MessageHead {
  readonly lane: number
}

/** Selects dead letters. */
export interface LetterQuery {
  readonly app?: string | undefined
  readonly reason?: DeadLetterReason | undefined
  readonly lane?: number | undefined
  /** the first position */
  readonly from?: number | undefined
  /** only these places */
  readonly places?: readonly { readonly lane: number; readonly position: number }[]
}

/** Yields the dead letters of a query that exist now, by lane and position. Only a few are in memory at a time. */
export async function* findLetters(storage: Storage, query: LetterQuery): AsyncGenerator<FoundLetter> {
  // Letters that are buried meanwhile, such as one whose replay failed, are not visited again.
  const ends = await storage.log.ends()
  for (let lane = query.lane ?? 0; lane <= (query.lane ?? ends.length - 1); lane++) {
    for await (const letter of lettersOf(storage, lane, query.from ?? 0, ends[lane] ?? 0))
      if (isWanted(letter, query)) yield letter
  }
}

async function* lettersOf({ reader }: Storage, lane: number, from: number, end: number): AsyncGenerator<FoundLetter> {
  for (let next = from; next < end;) {
    const letters = await reader.deadLettersFrom(lane, next, LETTERS_PER_READ)
    if (letters.length === 0) return
    for (const letter of letters) if (letter.position < end) yield { ...letter, lane, ...headOf(letter.value) }
    next = letters.at(-1)!.position + 1
  }
}

function isWanted({ app, reason, lane, position }: FoundLetter, query: LetterQuery): boolean {
  if (query.app !== undefined && app !== query.app) return false
  if (query.reason !== undefined && reason !== query.reason) return false
  return query.places === undefined || query.places.some((place) => place.lane === lane && place.position === position)
}
