import type { LiveEvent } from './live-list.ts'
import type { EventNames } from '../../format/event-text.ts'
import { formatDuration } from '../../format/numbers.ts'
import { decodedAddress } from '../../format/pages.ts'
import { liveWords } from './live-words.ts'

/** What a row shows of an event; a part that the event does not have is missing. */
export interface EventFacts {
  readonly what: string
  readonly page?: string
  readonly element?: string
  readonly source?: string
  /** id of the person, as the page of a person has it in its address */
  readonly person: string
  /** why the sender counts as a robot */
  readonly robot?: string
}

/** Reads the facts of an event, with the names of the element and the stage that it refers to. */
export function factsOf(event: LiveEvent, names: Pick<EventNames, 'element' | 'stage'>): EventFacts {
  const { context } = event
  const page = pageOf(event)
  const target = textOf(event['target'])
  const element = target && names.element(target)
  const robot = textOf(context['bot'])
  const source = sourceOf(context)
  return {
    what: whatOf(event, element ?? '', names.stage),
    ...(page && { page: pageText(page) }),
    ...(element && { element }),
    ...(source && { source }),
    person: personOf(event),
    ...(event.fate === 'bot' && { robot: robot ?? event.fate }),
  }
}

/** Returns the address of the page on which an event happened. */
export function pageOf(event: LiveEvent): string | undefined {
  if (event.type === 'url_change') return textOf(event['to']) ?? textOf(event['from'])
  return textOf(event['current_url'])
}

/** Formats an address for reading: without its origin, and without escapes. */
export function pageText(address: string): string {
  return decodedAddress(address.replace(/^https?:\/\/[^/]+/i, '') || '/')
}

/** Returns whether any part of an event contains the text, ignoring case. */
export function hasText(event: LiveEvent, facts: EventFacts, typed: string): boolean {
  const wanted = typed.trim().toLowerCase()
  if (wanted === '') return true
  const shown = [facts.what, facts.page, facts.element, facts.source, facts.person].join('\n').toLowerCase()
  return shown.includes(wanted) || JSON.stringify(event).toLowerCase().includes(wanted)
}

function whatOf(event: LiveEvent, element: string, stage: EventNames['stage']): string {
  switch (event.type) {
    case 'url_change':
      return textOf(event['to']) === undefined ? liveWords.left : liveWords.pageView
    case 'click':
      return `Clicked ${element}`
    case 'btn_time':
      return `Looked at ${element} for ${formatDuration(Number(event['elapsed_time'] ?? 0))}`
    case 'funnel_change':
      return `Entered ${stage(textOf(event['funnel']) ?? '', Number(event['entered']))}`
    case 'identify':
      return `Identified as ${textOf(event.user_id) ?? ''}`
    default:
      return textOf(event['name']) ?? event.type
  }
}

/** A campaign says more than the page that led here, and that more than its channel. */
function sourceOf(context: LiveEvent['context']): string | undefined {
  const utm = context['utm'] as Readonly<Record<string, unknown>> | undefined
  const referrer = textOf(context['referrer'])?.replace(/\/$/, '')
  return textOf(utm?.['utm_source']) ?? referrer ?? textOf(context['channel'])
}

function personOf({ user, user_id, device_id }: LiveEvent): string {
  const id = user ?? user_id
  return id === undefined || id === '' ? `d:${device_id}` : `u:${id}`
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
