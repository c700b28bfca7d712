import { Type, type Static } from 'typebox'
import { Element } from './app.ts'
import { limits } from './limits.ts'

/** An element of a page that was picked there for the dashboard, with the selectors that find it. */
export const PickedElement = Type.Object({
  page: Type.String({ maxLength: limits.urlCharsMax, description: 'the address of the page, without its fragment' }),
  name: Type.String({ maxLength: limits.nameCharsMax, description: 'the text of the element; may be empty' }),
  xpath: Element.properties.xpath,
  fingerprints: Type.Array(Type.String({ minLength: 1, maxLength: limits.fingerprintCharsMax }), {
    maxItems: limits.fingerprintsPerElementMax,
    description: 'CSS selectors of the element, the chosen one first; none if the choice has no selector',
  }),
})
export type PickedElement = Static<typeof PickedElement>

/** The body of `POST /v1/picks`: what was picked, with the token of the link by which the page was opened. */
export const PickBody = Type.Object({
  token: Type.String({ minLength: 1, maxLength: 1_000 }),
  picked: PickedElement,
})
export type PickBody = Static<typeof PickBody>

/** The response of `POST /v1/picks`. */
export const PickTaken = Type.Object({ taken: Type.Literal(true) })

/** A link to a page on which an element is to be picked, and what was picked there. */
export interface Picking {
  /** random */
  readonly id: string
  /** of the page */
  readonly host: string
  /** ms since the epoch */
  readonly expires_at: number
  readonly picked?: PickedElement
}

/** Returns the subject of the signed token of a link. */
export function pickSubject({ id, host }: { readonly id: string; readonly host: string }): string {
  return `${id} ${host}`
}

/** Returns the parts of the subject of a token; they are empty for any other text. */
export function pickOfSubject(subject: string): { readonly id: string; readonly host: string } {
  const [id = '', host = ''] = subject.split(' ')
  return { id, host }
}
