import { formatCount } from '../../format/numbers.ts'

/** Texts of lists of people. */
export const peopleWords = {
  first: (n: number): string => `The first ${formatCount(n)} are listed.`,
  began: 'Began',
  arrived: 'Came here',
  lastEvent: 'Last event',
  lastPage: 'Last page',
  reached: 'Stages reached',
  stages: (n: number, all: number): string => `${n} of ${all}`,
  cause: 'Not further',
  next: 'Next page',
  left: 'left the site',
  loadingMore: 'Loading more …',
  csv: 'CSV of all',
}
