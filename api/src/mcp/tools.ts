import { Type, type Static, type TObject, type TProperties } from 'typebox'
import { EventQuery, FunnelQuery, limits, queryLimits, RetentionQuery, type App } from '@hopper/contracts'
import type { Caller } from '../access/caller.ts'
import { JourneysParameters } from '../answers/report-parameters.ts'
import { EventKeysParameters, KeyValuesParameters } from '../answers/events/event-keys.ts'
import { PersonParameters, PersonsParameters } from '../answers/people.ts'
import type { Client } from '../query/sharing/shared-runs.ts'
import type { AppsService } from '../services/administration/apps.service.ts'
import type { EventKeysService } from '../services/event-keys.service.ts'
import type { FunnelsService } from '../services/administration/funnels.service.ts'
import type { PersonsService } from '../services/people/persons.service.ts'
import type { QueryService, EventQueryBody, RetentionQueryBody } from '../services/query.service.ts'

/** The services that the API's controllers call too: a tool has no way of its own to an answer. */
export interface ToolServices {
  readonly apps: AppsService
  readonly funnels: FunnelsService
  readonly eventKeys: EventKeysService
  readonly persons: PersonsService
  readonly queries: QueryService
}

/** The caller of a tool of an app. */
export interface ToolCall {
  readonly app: App
  readonly client: Client
}

/** A tool that an assistant can call. */
export interface Tool {
  readonly name: string
  readonly title: string
  readonly description: string
  /** the arguments; `app` among them if the tool is of an app */
  readonly input: TObject
  readonly isQuery: boolean
  /** answers for an app */
  readonly ofApp?: (services: ToolServices, parameters: never, call: ToolCall) => Promise<unknown>
  /** answers for the caller, whatever the app */
  readonly ofCaller?: (services: ToolServices, caller: Caller) => Promise<unknown>
}

const app = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: limits.idCharsMax,
    description: 'id of the app, see list_apps; may be left out with the read key of an app',
  }),
)

/** Builds a tool from the schema of the API's call. The parameters of its path come first among the arguments. */
function toolOf<S extends TProperties, P extends TProperties = Record<never, never>>(
  tool: Pick<Tool, 'name' | 'title' | 'description'> & { readonly isQuery?: boolean },
  { path, schema }: { readonly path?: P; readonly schema: TObject<S> },
  ofApp: (services: ToolServices, parameters: Static<TObject<P & S>>, call: ToolCall) => Promise<unknown>,
): Tool {
  const input = Type.Object({ app, ...path, ...schema.properties })
  return { isQuery: false, ...tool, input, ofApp: ofApp }
}

const RANGE = 'Dates are local dates of the app, both included; the default is the last 7 days.'
const META = '`meta.complete_to` says up to when everything is counted, `meta.settled` whether it can still change.'

/** All tools, in the order in which an assistant usually needs them. */
export const tools: readonly Tool[] = [
  {
    name: 'list_apps',
    title: 'Apps',
    description: 'The apps (sites or products) that this key may read, with their time zones.',
    input: Type.Object({}),
    isQuery: false,
    ofCaller: ({ apps }, caller) => apps.list(caller),
  },
  toolOf(
    {
      name: 'list_funnels',
      title: 'Configured funnels',
      description: 'The configured funnels of an app with their stages. The tool funnel takes such an id as `funnel`.',
    },
    { schema: Type.Object({}) },
    async ({ funnels }, _, call) => ({ funnels: await funnels.views(call.app, await funnels.list(call.app)) }),
  ),
  toolOf(
    {
      name: 'list_keys',
      title: 'Keys of events',
      description: `The keys that events of an app have, to filter by; with \`where\` also their values. ${RANGE}`,
      isQuery: true,
    },
    { schema: EventKeysParameters },
    ({ eventKeys }, { prefix = '', ...parameters }, call) =>
      eventKeys.keys(call.app, { prefix, ...parameters }, call.client),
  ),
  toolOf(
    {
      name: 'list_values',
      title: 'Values of a key',
      description: `The values that a key of events has, the most frequent first. ${RANGE}`,
      isQuery: true,
    },
    { path: { key: Type.String({ minLength: 1, maxLength: queryLimits.keyCharsMax }) }, schema: KeyValuesParameters },
    ({ eventKeys }, { key, ...parameters }, call) => eventKeys.values(call.app, key, parameters, call.client),
  ),
  toolOf(
    {
      name: 'funnel',
      title: 'Funnel',
      description:
        'How many people (or devices, or sessions) take each step of a funnel, how long it takes them, and for each ' +
        `step one cause for everybody who did not go on. ${META}`,
      isQuery: true,
    },
    { schema: FunnelQuery },
    ({ queries }, parameters, call) => queries.funnel(call.app, parameters as FunnelQuery, call.client),
  ),
  toolOf(
    {
      name: 'query',
      title: 'Sets of events',
      description: `Sets of events by filters: their number, distinct values, and the events themselves. ${META}`,
      isQuery: true,
    },
    { schema: EventQuery },
    ({ queries }, parameters, call) => queries.events(call.app, parameters as EventQueryBody, call.client),
  ),
  toolOf(
    {
      name: 'journeys',
      title: 'Journeys',
      description: `The ways that people take from page to page (or from value to value of a key). ${RANGE} ${META}`,
      isQuery: true,
    },
    { schema: JourneysParameters },
    ({ queries }, parameters, call) => queries.journeys(call.app, parameters, call.client),
  ),
  toolOf(
    {
      name: 'retention',
      title: 'Retention',
      description: `How many people come back, by the day or week of their first visit. ${META}`,
      isQuery: true,
    },
    { schema: RetentionQuery },
    ({ queries }, parameters, call) => queries.retention(call.app, parameters as RetentionQueryBody, call.client),
  ),
  toolOf(
    {
      name: 'list_persons',
      title: 'Persons',
      description:
        'The persons that have events in the range, with traits and computed properties: searched, filtered, ' +
        `ordered, page by page. ${RANGE}`,
      isQuery: true,
    },
    { schema: PersonsParameters },
    ({ persons }, parameters, call) => persons.list(call.app, parameters, call.client),
  ),
  toolOf(
    {
      name: 'person',
      title: 'Person',
      description: `Devices, traits, computed properties and timeline of one person. ${RANGE}`,
      isQuery: true,
    },
    {
      path: {
        person: Type.String({
          minLength: 1,
          maxLength: limits.userIdCharsMax + 2,
          description: '`u:USER` or `d:DEVICE`, as in the lists of a funnel; without a prefix it is a user',
        }),
      },
      schema: PersonParameters,
    },
    ({ persons }, { person, ...parameters }, call) => persons.one(call.app, person, parameters, call.client),
  ),
]
