import { formatDuration } from './numbers.ts'

/** An event of a person, as the API answers it. */
export interface TimelineEvent {
  readonly event_id: string
  readonly type: string
  readonly timestamp: number
  readonly [field: string]: unknown
}

/** Readable names of the things that an event refers to. */
export interface EventNames {
  readonly page: (url: string) => string
  readonly element: (xpath: string) => string
  readonly stage: (funnel: string, stage: number) => string
}

const ids: EventNames = {
  page: (url) => url,
  element: (xpath) => xpath,
  stage: (funnel, stage) => `stage ${stage} of ${funnel}`,
}

/** Describes what an event was in words: the page that was opened, what was clicked, how long the mouse stayed. */
export function eventText(event: TimelineEvent, { page, element, stage } = ids): string {
  const text = (name: string): string => (typeof event[name] === 'string' ? event[name] : '')
  switch (event.type) {
    case 'url_change':
      return text('to') === '' ? `left ${page(text('from'))}` : `opened ${page(text('to'))}`
    case 'click':
      return `clicked ${element(text('target'))}`
    case 'btn_time':
      return `looked at ${element(text('target'))} for ${formatDuration(Number(event['elapsed_time'] ?? 0))}${
        text('action') === 'hover-then-clicked' ? ' and clicked' : ' and left'
      }`
    case 'funnel_change':
      return `reached ${stage(text('funnel'), Number(event['entered']))}`
    case 'identify':
      return `was identified as ${text('user_id')}`
    default:
      return text('name') || event.type
  }
}
