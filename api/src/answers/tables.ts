import type {
  ConversionTime,
  CsvCell,
  CsvRow,
  ElementsResult,
  EventResult,
  FunnelResult,
  HesitationResult,
  InsteadResult,
  JourneyPeopleResult,
  JourneyResult,
  PeopleResult,
  RetentionResult,
} from '@hopper/contracts'
import type { EventFate } from './events/events.ts'
import { flatRow, type Table } from '../http/csv/csv.ts'

// CSV tables of answers that are more than a list of flat rows. Each has the rows that people want in a spreadsheet.

type Stored = Readonly<Record<string, unknown>>

const hoverColumns = 'people hovers clicked clicked_share median_click_ms median_leave_ms'.split(' ')
const EVENT = 'event_id type timestamp seq device_id user received_at lane position index'.split(' ')

/** Events, with their own fields and those of `data` and `context` as columns. */
export const eventsTable: Table = {
  columns: EVENT,
  rows: ({ events }: { events: readonly object[] }) => events.map((event) => flatRow(event)),
}

/** One event and its fate, as one row. */
export const eventTable: Table = {
  columns: ['fate', 'reason', ...EVENT, 'tables'],
  rows: ({ fate, reason, received_at, lane, position, tables, event }: EventFate) => [
    { fate, reason, received_at, lane, position, ...flatRow(event ?? {}), tables: tables?.join(' ') ?? null },
  ],
}

/** The interesting elements; fields that only some have are further columns. */
export const elementsTable: Table = {
  columns: ['name', 'xpath'],
  rows: ({ elements }: { elements: readonly object[] }) => elements.map((element) => flatRow(element)),
}

/** The timeline of a person. */
export const personTable: Table = {
  columns: EVENT,
  rows: ({ timeline }: { timeline: readonly object[] }) => timeline.map((event) => flatRow(event)),
}

/** Persons, with a column for each trait and computed property. */
export const personsTable: Table = {
  columns: ['id', 'user', 'devices', 'first_seen', 'last_seen', 'events'],
  rows: ({ persons }: { persons: readonly (Stored & { users: readonly string[] })[] }) =>
    persons.map(({ users, traits, properties, ...person }) => ({
      ...(person as CsvRow),
      user: users[0],
      ...prefixed('trait', traits as CsvRow),
      ...prefixed('property', properties as CsvRow),
    })),
}

function prefixed(prefix: string, row: CsvRow): CsvRow {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [`${prefix}.${name}`, value]))
}

/** The keys of events, with a row per value if values were requested; or the access keys. */
export const keysTable: Table = {
  columns: [],
  rows: (answer: { keys: readonly CsvRow[] } | { rows: readonly { key: string; values?: readonly CsvRow[] }[] }) => {
    if ('keys' in answer) return answer.keys
    return answer.rows.flatMap(({ key, values }): CsvRow[] =>
      values ? values.map((value) => ({ key, ...value })) : [{ key }],
    )
  },
}

const CAUSES = ['open', 'excluded', 'late', 'mismatch', 'before', 'never'] as const

/** The steps of a funnel; with a breakdown, the steps of each value. */
export const funnelTable: Table = {
  columns: [
    'step',
    'name',
    'count',
    'rate',
    'rate_from_previous',
    'dropped',
    ...CAUSES,
    'median_ms',
    'average_ms',
    'p90_ms',
  ],
  rows: ({ steps, breakdown }: FunnelResult) => {
    if (!breakdown) return stepRows(steps, {})
    return breakdown.flatMap(({ value, steps: stepsOfValue }) => stepRows(stepsOfValue, { value }))
  },
}

/** Counts of leaving and clicking by duration; with a funnel, also of those who went on and of those lost. */
export const hesitationTable: Table = {
  columns: ['people', 'from_ms', 'to_ms', 'leave', 'click'],
  rows: ({ histogram, went_on, lost }: HesitationResult) =>
    [['all', histogram] as const, ['went_on', went_on?.histogram] as const, ['lost', lost?.histogram] as const].flatMap(
      ([people, buckets]) => (buckets ?? []).map((bucket) => ({ people, ...bucket })),
    ),
}

/** The next pages and the next clicks, each with those who went to none or clicked nothing. */
export const insteadTable: Table = {
  columns: ['next', 'value', 'users', 'other'],
  rows: ({ pages, left, clicks, no_click }: InsteadResult) => [
    ...pages.map((page) => ({ next: 'page', ...page })),
    { next: 'left', users: left },
    ...clicks.map((click) => ({ next: 'click', ...click })),
    { next: 'no_click', users: no_click },
  ],
}

/** The elements, with the hovers of those who went on and those lost as columns. */
export const elementHoversTable: Table = {
  columns: ['xpath', ...hoverColumns, 'taps', 'tapped_by'],
  rows: ({ rows }: ElementsResult) =>
    rows.map(({ went_on: wentOn, lost, trend: _trend, ...row }) => ({
      ...row,
      ...(wentOn ? prefixed('went_on', wentOn) : {}),
      ...(lost ? prefixed('lost', lost) : {}),
    })),
}

const PERSON_ROW = 'id name device source country entered_at last_at last_page steps cause next'.split(' ')

/** The people of a page, as rows. */
export const peopleTable: Table = {
  columns: PERSON_ROW,
  rows: ({ people }: PeopleResult) => people,
}

const ofFunnels = ['steps', 'cause', 'next']

/** The people of a page of journeys, as rows. */
export const journeyPeopleTable: Table = {
  columns: PERSON_ROW.filter((column) => !ofFunnels.includes(column)),
  rows: ({ people }: JourneyPeopleResult) => people,
}

function stepRows(steps: FunnelResult['steps'], more: Record<string, CsvCell>): CsvRow[] {
  return steps.map(({ causes, time, ...step }, index) => ({
    step: index + 1,
    ...step,
    ...causes,
    ...timeCells(time),
    ...more,
  }))
}

function timeCells({ median_ms, average_ms, p90_ms }: ConversionTime): CsvRow {
  return { median_ms, average_ms, p90_ms }
}

/** The sets of a query, then the stages of its funnel, with a column for each key whose distinct values are counted. */
export const queryTable: Table = {
  columns: ['part', 'name', 'count', 'rate'],
  rows: ({ data, funnel }: EventResult) => [
    ...data.map(({ name, count, unique }) => ({ part: 'set', name, count, ...uniqueCells(unique) })),
    ...(funnel?.stages ?? []).map(({ name, count, unique, rate }) => ({
      part: 'stage',
      name,
      count,
      rate,
      ...uniqueCells(unique),
    })),
  ],
}

function uniqueCells(unique: Readonly<Record<string, number>>): CsvRow {
  return Object.fromEntries(Object.entries(unique).map(([key, count]) => [`unique.${key}`, count]))
}

/** Cohorts, with a column for each following day or week. */
export const retentionTable: Table = {
  columns: ['time', 'size'],
  rows: ({ cohorts }: RetentionResult) =>
    cohorts.map(({ time, size, again }) => ({
      time,
      size,
      ...Object.fromEntries(again.map((count, index) => [`again.${index}`, count])),
    })),
}

/** The links between places; the places appear as their ends. */
export const journeysTable: Table = {
  columns: ['from', 'to', 'users'],
  rows: ({ links }: JourneyResult) => links.map((link) => ({ ...link })),
}

/** Funnels, one row per stage. */
export const funnelsTable: Table = {
  columns: ['funnel', 'funnel_name', 'id', 'name', 'url', 'click'],
  rows: ({ funnels }: { funnels: readonly { id: string; name: string; stages: readonly Stored[] }[] }) =>
    funnels.flatMap(({ id, name, stages }) =>
      stages.map((stage) => ({ funnel: id, funnel_name: name, ...(stage as CsvRow) })),
    ),
}
