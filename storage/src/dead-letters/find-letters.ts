import { headOf, type DeadLetterReason, type MessageHead } from '@hopper/contracts'
import type { EventLog } from '../ports/event-log.ts'
import type { DeadLetter, TableReader } from '../ports/tables.ts'

const LETTERS_PER_READ = 100

/** The tables of dead letters, and the log of their lanes. */
export interface LetterSource {
  readonly reader: Pick<TableReader, 'deadLettersFrom'>
  readonly log: Pick<EventLog, 'ends'>
}

/** A dead letter with its lane and the head of its message. */
export interface FoundLetter extends DeadLetter, MessageHead {
  readonly lane: number
}

/** Selects dead letters. */
export interface LetterQuery {
  readonly app?: string | undefined
  readonly reason?: DeadLetterReason | undefined
  readonly lane?: number | undefined
  /** the first position in each lane */
  readonly from?: number | undefined
  /** the first place; earlier lanes, and earlier positions of its lane, are skipped */
  readonly start?: { readonly lane: number; readonly position: number } | undefined
  /** only these places */
  readonly places?: readonly { readonly lane: number; readonly position: number }[]
}

/** Yields the dead letters of a query that exist now, by lane and position. Only a few are in memory at a time. */
export async function* findLetters(source: LetterSource, query: LetterQuery): AsyncGenerator<FoundLetter> {
  // Letters that are added meanwhile, such as one whose replay failed, are not visited again.
  const ends = await source.log.ends()
  const { start } = query
  for (let lane = query.lane ?? start?.lane ?? 0; lane <= (query.lane ?? ends.length - 1); lane++) {
    const from = lane === start?.lane ? start.position : (query.from ?? 0)
    for await (const letter of lettersOf(source, lane, from, ends[lane] ?? 0)) if (isWanted(letter, query)) yield letter
  }
}

/** Reads the dead letter of one place; undefined if there is none. */
export async function letterAt(
  reader: LetterSource['reader'],
  lane: number,
  position: number,
): Promise<FoundLetter | undefined> {
  const [letter] = await reader.deadLettersFrom(lane, position, 1)
  return letter?.position === position ? { ...letter, lane, ...headOf(letter.value) } : undefined
}

async function* lettersOf(
  { reader }: LetterSource,
  lane: number,
  from: number,
  end: number,
): AsyncGenerator<FoundLetter> {
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
