import type { PeoplePlace } from '@hopper/contracts'

/** The requested page of a list of people. */
export interface PageOfPeople {
  readonly limit: number
  /** the last row of the page before */
  readonly after?: PeoplePlace
}

/** Keeps a page of people, latest first. Memory is bounded by the size of the page, not by the number of people. */
export class PeoplePage<T extends PeoplePlace> {
  readonly #limit: number
  readonly #after: PeoplePlace | undefined
  #total = 0
  #kept: T[] = []
  /** anybody after this person is no longer on the page; undefined until the page is full */
  #bound: PeoplePlace | undefined

  constructor({ limit, after }: PageOfPeople) {
    this.#limit = limit
    this.#after = after
  }

  /** Adds a person who came at `entered`; `person` makes its row, if it may be on the page. */
  add(entered: number, person: () => T): void {
    this.#total++
    // `person` builds the name of the person as a text: it is only called for people who may be on the page
    if ((this.#after && entered > this.#after.entered_at) || (this.#bound && entered < this.#bound.entered_at)) return
    const row = person()
    if (this.#after && comparePeople(row, this.#after) <= 0) return
    if (this.#bound && comparePeople(row, this.#bound) > 0) return
    this.#kept.push(row)
    if (this.#kept.length >= 2 * this.#limit + 64) this.#cut()
  }

  /** Returns the page, the number of people of all pages, and whether more follow. */
  finish(): { readonly total: number; readonly people: readonly T[]; readonly more: boolean } {
    this.#cut()
    return { total: this.#total, people: this.#kept.slice(0, this.#limit), more: this.#kept.length > this.#limit }
  }

  #cut(): void {
    const wanted = this.#limit + 1
    this.#kept = this.#kept.sort(comparePeople).slice(0, wanted)
    if (this.#kept.length === wanted) this.#bound = this.#kept.at(-1)
  }
}

/** Orders people by the time at which they came, latest first. */
function comparePeople(a: PeoplePlace, b: PeoplePlace): number {
  return b.entered_at - a.entered_at || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
}
