/** The texts of the journeys page; they are loaded with it. */
export const journeyWords = {
  title: 'Journeys',
  hint: 'Where people go, from place to place. Staying at a place counts once.',
  direction: 'Direction',
  forward: 'From',
  backward: 'To',
  anywhere: 'the first place',
  choose: 'Choose a place',
  search: 'Search stages and pages',
  searchEvents: 'Search events',
  noPlace: 'Nothing was seen with this name.',
  depth: 'Steps',
  places: 'Places',
  placesAre: { groups: 'Stages and pages', each: 'Each page', events: 'Events' },
  picture: 'Journeys as a picture',
  keys: 'Arrow keys move from place to place.',
  list: 'The same as a list',
  step: (n: number) => `Step ${n}`,
  from: 'From',
  to: 'To',
  share: 'Share',
  exit: 'left the site',
  entry: 'came to the site',
  other: 'other places',
  /** begins with what is written in the picture */
  nodeLabel: (step: number, name: string, count: string) => `${name} ${count}, step ${step}`,
  startHere: (name: string) => `Start journeys at ${name}`,
  endHere: (name: string) => `End journeys at ${name}`,
  openLink: (from: string, to: string, count: string) => `${from} to ${to}: ${count}, show who`,
  of: (count: string) => `of ${count}`,
  openNode: (name: string, count: string) => `of ${count} at ${name}, show who`,
  way: (from: string, to: string) => `${from} → ${to}`,
  truncated: 'The least used places are folded into “other places”.',
  none: (dates: string) => `No journeys in ${dates}.`,
  noneHint: 'Choose a longer range, remove filters, or choose another place.',
  unknownPlace: (name: string) => `Nobody was at ${name} in this range.`,
  showAll: 'Show journeys from the first place',
  panel: {
    count: (share: string, name: string) => `${share} of those at ${name}`,
    definition: (step: number, from: string, to: string) =>
      `Their place number ${step} is ${from}, and the next other place that they went to is ${to}.`,
    node: (step: number, name: string) => `Their place number ${step} is ${name}.`,
    exit: (step: number, from: string) =>
      `Their place number ${step} is ${from}, and they went to no other place in this range.`,
    entry: (to: string) => `${to} is the first place that they went to in this range.`,
    start: (name: string) => `Places are counted from the first time that they were at ${name}.`,
    end: (name: string) => `Places are counted back from the first time that they were at ${name}.`,
    manyPlaces: 'This stands for several places, whose people are not listed. Choose a place to see more.',
    makeFunnel: 'Make a funnel of this way',
    wayOf: 'The most used way to there',
    who: 'Who they are',
  },
} as const

/** Describes from where or to where the places of journeys are counted. */
export function startOf(
  { start, end }: { readonly start?: string; readonly end?: string },
  nameOf: (place: { readonly value: string }) => string,
): string {
  if (start !== undefined) return journeyWords.panel.start(nameOf({ value: start }))
  return end === undefined ? '' : journeyWords.panel.end(nameOf({ value: end }))
}
