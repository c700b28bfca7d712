import { limits, PickedElement } from '@hopper/contracts'
import { Type, type Static } from 'typebox'

export const TrackerTag = Type.Object({
  html: Type.String({ description: 'the tag that always loads the newest tracker' }),
  pinned_html: Type.String({
    description: 'the tag of this version only, with subresource integrity; another version needs another tag',
  }),
  url: Type.String({ description: 'of this version' }),
  integrity: Type.String({ description: 'subresource integrity of that: sha384- and the hash in base64' }),
})
export type TrackerTag = Static<typeof TrackerTag>

export const PickerPage = Type.Object({
  url: Type.String({
    minLength: 1,
    maxLength: limits.urlCharsMax,
    description: 'a page with the tracker of this app',
  }),
})
export type PickerPage = Static<typeof PickerPage>

export const PickerLink = Type.Object({
  id: Type.String({ description: 'with which to ask for what was picked' }),
  url: Type.String({ description: 'the page with a token in its fragment: #hopper-pick=TOKEN' }),
  expires_at: Type.String({ format: 'date-time' }),
})
export type PickerLink = Static<typeof PickerLink>

export const PickAnswer = Type.Object({
  picked: Type.Optional(PickedElement),
  expires_at: Type.String({ format: 'date-time' }),
})
export type PickAnswer = Static<typeof PickAnswer>
