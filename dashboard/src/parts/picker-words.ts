/** Texts of picking an element on a page of the customer. */
export const pickerWords = {
  button: 'Pick on the page',
  element: 'Pick on the page the element',
  stage: (place: number): string => `Pick on the page the element of stage ${place}`,
  hint: 'Opens a page of your site with a layer on which you click the element. Nothing is recorded meanwhile.',
  page: 'Page',
  getLink: 'Get a link',
  open: 'Open the page',
  waiting: 'Waiting for what you pick there …',
  waitingHint:
    'The link works once, for ten minutes. If no layer appears: the page has no tracker of this app, its tag has ' +
    'an integrity, or its policy refuses scripts of Hopper.',
  fingerprints: 'Selectors that find it, one per line; the first that is on the page decides',
  noSelector: 'This way to find the element has no CSS selector. Pick it again, and choose another way.',
}
