import { formatDuration } from './numbers.ts'

/** An event of a person, as the API answers it. */
export interface TimelineEvent {
  readonly event_id: string
  readonly type: string
  readonly timestamp: number
  readonly [field: string]: unknown
}

/** Describes what an event was in words: the page that was opened, what was clicked, how long the mouse stayed. */
export function eventText(event: TimelineEvent): string {
  const text = (name: string): string => (typeof event[name] === 'string' ? event[name] : '')
  switch (event.type) {
    case 'url_change':
      return text('to') === '' ? `left ${text('from')}` : `opened ${text('to')}`
    case 'click':
      return `clicked ${text('target')}`
    case 'btn_time':
      return `looked at ${text('target')} for ${formatDuration(Number(event['elapsed_time'] ?? 0))}${
        text('action') === 'hover-then-clicked' ? ' and clicked' : ' and left'
      }`
    case 'funnel_change':
      return `entered stage ${Number(event['entered'])} of ${text('funnel')}`
    case 'identify':
      return `was identified as ${text('user_id')}`
    default:
      return text('name') || event.type
  }
}
