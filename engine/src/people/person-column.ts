import type { Value } from '@hopper/contracts'
import type { Chunk, ValueColumn } from '../chunk/chunk.ts'
import { PERSON_KEY, USER_KEY } from '../chunk/event-keys.ts'
import { idAt } from '../chunk/ids.ts'
import { Dictionary } from '../chunk/value-column.ts'
import { identityOf, type Identities } from '../scan/identities.ts'
import type { People } from './people.ts'

/** A person of a chunk: a user, or the device of a run. */
type Person = { readonly user: string } | { readonly run: number }

/** The persons that the rows of a chunk belong to: row i belongs to `persons[codes[i]]`. */
interface PersonRows {
  readonly codes: Uint32Array
  readonly persons: readonly Person[]
}

/** Estimated memory of a person and of a value, in bytes. */
const PERSON_BYTES = 56
const VALUE_BYTES = 40

/**
 * Returns the column of a person key. For `user_id` it has the user of the person only, not the field of the event
 * itself.
 */
export function personColumn(chunk: Chunk, key: string): ValueColumn {
  return chunk.ofPeople(`values/${key}`, (people) => {
    const { codes, persons } = chunk.ofPeople('rows', ({ identities }) => personRows(chunk, identities))
    const dictionary = new Dictionary()
    const valueOf = valueReader(chunk, people, key)
    const codeOf = Uint32Array.from(persons, (person) => dictionary.code(valueOf(person)))
    const codesOfRows = new Uint32Array(codes.length)
    for (let i = 0; i < codesOfRows.length; i++) codesOfRows[i] = codeOf[codes[i]!]!
    return {
      value: { codes: codesOfRows, values: dictionary.values },
      bytes: codesOfRows.byteLength + dictionary.values.length * VALUE_BYTES + dictionary.chars,
    }
  })
}

function valueReader(chunk: Chunk, people: People, key: string): (person: Person) => Value | null {
  if (key === USER_KEY) return (person) => ('user' in person ? person.user : null)
  if (key === PERSON_KEY) {
    const ids = chunk.deviceIds()
    return (person) => ('user' in person ? `u:${person.user}` : `d:${idAt(ids, person.run)}`)
  }
  const values = people.values(key)
  if (!values) return () => null
  const { keys, rests } = chunk.runs()
  return (person) =>
    'user' in person
      ? values.ofUser(person.user)
      : values.ofDevice({ key: keys[person.run]!, rest: rests[person.run]! })
}

/**
 * Finds the person of each row: the user in effect; without one, the first user that the device was ever identified as;
 * without any, the device itself.
 */
function personRows(chunk: Chunk, identities: Identities): { value: PersonRows; bytes: number } {
  const { keys, rests, starts } = chunk.runs()
  const persons: Person[] = []
  const known = new Map<string, number>()
  const codeOf = (user: string): number => {
    let code = known.get(user)
    if (code === undefined) known.set(user, (code = persons.push({ user }) - 1))
    return code
  }
  const users = chunk.values('user')
  const inEffect = Int32Array.from(users?.values ?? [], (user) => (user === null ? -1 : codeOf(String(user))))
  const codes = new Uint32Array(chunk.summary.rows)
  for (let run = 0; run < keys.length; run++) {
    const entry = identityOf(identities, keys[run]!, rests[run]!)
    const otherwise = entry < 0 ? persons.push({ run }) - 1 : codeOf(identities.users[identities.firstUser[entry]!]!)
    for (let row = starts[run]!; row < starts[run + 1]!; row++) {
      const code = users ? inEffect[users.codes[row]!]! : -1
      codes[row] = code < 0 ? otherwise : code
    }
  }
  return { value: { codes, persons }, bytes: codes.byteLength + persons.length * PERSON_BYTES }
}
