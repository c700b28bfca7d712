import type { PeoplePlace } from '@hopper/contracts'

/** The requested page of a list of people. */
export interface PageOfPeople {
  readonly limit: number
  /** the last row of the page before */
  readonly after?: PeoplePlace
}

/** Keeps a page of people: who came last is first. Only the people of the page are held, whatever their number. */
export class PeoplePage<T extends PeoplePlace> {
  readonly #limit: number
  readonly #after: PeoplePlace | undefined
  #total = 0
  #kept: T[] = []
  /** the last person that may still be on the page, once there are enough */
  #bound: PeoplePlace | undefined

  constructor({ limit, after }: PageOfPeople) {
    this.#limit = limit
    this.#after = after
  }

  /** Adds a person who came at `entered`; `person` makes its row, if it may be on the page. */
  add(entered: number, person: () => T): void {
    this.#total++
    // names are texts that are made for this, so only for those who may be on the page
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

/** Orders people by when they came, the last first. */
function comparePeople(a: PeoplePlace, b: PeoplePlace): number {
  return b.entered_at - a.entered_at || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
}
