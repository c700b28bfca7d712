import { formatCount, formatDuration } from '../../format/numbers.ts'

/** Texts of the page of elements. */
export const elementWords = {
  title: 'Elements',
  table: 'Elements by stage and page',
  hint:
    'Looks are hovers of a mouse: a finger is on an element only to press it. Times are medians. ' +
    'Press a row to see how long people look.',
  funnel: 'Funnel',
  element: 'Element',
  looks: 'Looks',
  clicked: 'Clicked',
  beforeClick: 'Before a click',
  beforeLeaving: 'Before leaving',
  buyers: (funnel: string): string => `${funnel}: went all the way against lost`,
  trend: 'Clicked, over time',
  taps: 'Taps',
  elsewhere: 'In no stage',
  noPage: 'page not known',
  against: 'against',
  none: 'No interesting elements yet',
  noneHint:
    'Name the buttons and links that matter, by their XPath, in the settings. Hopper then counts who looks at them, ' +
    'who clicks, and how long it takes.',
  toSettings: 'Name elements',
  distribution: 'How long people look, logarithmic',
  whoClicked: 'clicked',
  whoLeft: 'left',
  noHovers: 'Nobody looked at it by mouse.',
  tapped: (taps: number, people: number, who: string): string =>
    `${formatCount(taps)} taps by ${formatCount(people)} ${who}.`,
  compare: (click: number, leave: number, clicks: number, leaves: number): string => {
    const sizes = `n = ${formatCount(clicks)} and ${formatCount(leaves)}`
    const numbers = `${formatDuration(click)} against ${formatDuration(leave)} (${sizes})`
    if (click >= leave * 1.1) return `People who click look longer: ${numbers}.`
    if (click * 1.1 <= leave) return `People who click look for a shorter time: ${numbers}.`
    return `People who click look about as long as people who leave: ${numbers}.`
  },
  smallSample: (min: number): string => `No comparison below ${min} clicks and ${min} looks without a click.`,
  events: 'See these looks one by one',
  xpath: 'XPath',
  wentAllTheWay: 'Went all the way',
  twins: {
    title: 'The same button?',
    question: (last: string, appeared: string, clicks: string): string =>
      `was last clicked on ${last}. Its twin appeared on ${appeared} and has ${clicks} clicks: the same button?`,
    link: 'Link',
    linkOf: (name: string): string => `Link ${name} and its twin`,
    other: 'Not the same',
    otherOf: (name: string): string => `Not the same as ${name}`,
  },
}
