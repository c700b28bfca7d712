import { LinkBody, LinkedDevice, LinkToken, PickBody, PickTaken, Stage, TrackerOptions } from '@hopper/contracts'
import { Type } from 'typebox'
import type { Components } from './components.ts'
import { errorResponses } from './errors.ts'
import { examples } from './examples.ts'
import { eventsCall } from './events-call.ts'
import { always, json, keyErrors, text, unchanged, writeKey } from './ingest-parts.ts'
import { operationPaths } from './operation-calls.ts'
import { posthogPaths } from './posthog-calls.ts'
import { segmentPaths } from './segment-calls.ts'
import { serverPaths } from './server-calls.ts'

const ifNoneMatch = { name: 'If-None-Match', in: 'header', required: false, schema: { type: 'string' } }

const query = (name: string, description: string, required = false): object => ({
  ...{ name, in: 'query', required, description, schema: { type: 'string' } },
})

const TrackerConfig = Type.Object({
  funnels: Type.Array(
    Type.Object({
      id: Type.String(),
      stages: Type.Array(
        Type.Object({
          ...Stage.properties,
          test: Type.String({ description: 'expression that tests whether a page enters the stage' }),
        }),
      ),
    }),
  ),
  elements: Type.Array(
    Type.Object({
      xpath: Type.String(),
      css: Type.Optional(Type.String({ description: 'a selector for the same elements, if there is one' })),
    }),
  ),
  page: Type.String({ description: 'expression for the parts of an address that distinguish pages' }),
  keep_parameters: Type.Optional(Type.Array(Type.String())),
  hash_routing: Type.Optional(Type.Literal(true)),
  tracker: Type.Optional(TrackerOptions),
  pick: Type.Optional(Type.Boolean({ description: 'with the parameter pick only: whether its token is valid' })),
})

/** The calls of ingest and operation by path: sent to ingest in a cluster, to the single process in standalone. */
export function ingestPaths(components: Components, servers: readonly object[] | undefined): Record<string, object> {
  const paths = {
    '/v1/events': { post: eventsCall(components) },
    ...trackerPaths(components),
    '/v1/link': linkCalls(components),
    '/v1/picks': { post: pickCall(components) },
    ...segmentPaths(components),
    ...posthogPaths(components),
  }
  const served = Object.entries(paths).map(([path, item]) => [path, { ...item, ...(servers && { servers }) }])
  return {
    ...(Object.fromEntries(served) as Record<string, object>),
    ...serverPaths(components, { security: writeKey, errors: [...always, ...keyErrors], servers }),
    ...operationPaths(components),
  }
}

/** The calls of the tracker. */
function trackerPaths(components: Components): Record<string, object> {
  const get = (operation: object): object => ({ get: { tags: ['Ingest'], security: [], ...operation } })
  return {
    '/v1/config': get({
      operationId: 'Ingest_config',
      summary: 'The configuration of the tracker of an app',
      security: writeKey,
      parameters: [
        ifNoneMatch,
        query('pick', 'a token of the picker; the answer says whether it is valid on this page'),
      ],
      responses: {
        200: json(components.answer(TrackerConfig)),
        304: unchanged,
        ...errorResponses([...always, ...keyErrors]),
      },
    }),
    '/hopper.js': get({
      operationId: 'Ingest_tracker',
      summary: 'The tracker',
      description: 'With a write key in the parameter key it is the build with the options of its app.',
      security: [{}, { parameter: [] }],
      parameters: [ifNoneMatch],
      responses: {
        200: { description: 'the script', content: { 'text/javascript': text } },
        304: unchanged,
        ...errorResponses([...always, ...keyErrors, 'HOP_NOT_FOUND', 'HOP_CONFIG']),
      },
    }),
    '/v1/picker.js': get({
      operationId: 'Ingest_picker',
      summary: 'The script for picking an element, which the tracker loads on a page with a link of the picker',
      parameters: [ifNoneMatch],
      responses: {
        200: { description: 'the script', content: { 'text/javascript': text } },
        304: unchanged,
        ...errorResponses([...always, 'HOP_NOT_FOUND']),
      },
    }),
  }
}

/** The call by which a page hands over the element that was picked there. */
function pickCall(components: Components): object {
  const media = { schema: components.request(PickBody), example: examples['PickBody'] }
  return {
    tags: ['Ingest'],
    security: writeKey,
    operationId: 'Ingest_pick',
    summary: 'Hand over the element that was picked on a page, once for each link of the picker',
    requestBody: { required: true, content: { 'application/json': media, 'text/plain': media } },
    responses: {
      200: json(components.answer(PickTaken)),
      ...errorResponses([
        ...always,
        ...keyErrors,
        ...(['HOP_TOKEN', 'HOP_BODY_INVALID', 'HOP_BODY_TOO_LARGE', 'HOP_BODY_TYPE'] as const),
      ]),
    },
  }
}

/** The calls that hand a device over from one host of an app to another one. */
function linkCalls(components: Components): object {
  const said = { tags: ['Ingest'], security: writeKey }
  const media = { schema: components.request(LinkBody), example: examples['LinkBody'] }
  const errors = [...always, ...keyErrors]
  return {
    post: {
      ...said,
      operationId: 'Ingest_link',
      summary: 'A token that takes a device to another host of the app, for two minutes',
      requestBody: { required: true, content: { 'application/json': media, 'text/plain': media } },
      responses: {
        200: json(components.answer(LinkToken)),
        ...errorResponses([...errors, 'HOP_BODY_INVALID', 'HOP_BODY_TOO_LARGE', 'HOP_BODY_TYPE']),
      },
    },
    get: {
      ...said,
      operationId: 'Ingest_linkedDevice',
      summary: 'The device that a token names',
      parameters: [query('token', 'of the link', true)],
      responses: { 200: json(components.answer(LinkedDevice)), ...errorResponses([...errors, 'HOP_TOKEN']) },
    },
  }
}
