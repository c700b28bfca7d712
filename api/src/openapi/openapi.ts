import type { INestApplication } from '@nestjs/common'
import { sharedDefinitions } from '@hopper/contracts'
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger'
import { CALL_NUMBER, numberedCall } from '../http/call.ts'
import { Components } from './components.ts'
import { errorSchema } from './errors.ts'
import { ingestPaths } from './ingest-calls.ts'
import { operationOf } from './operations.ts'

/** The base URLs of the calls. */
export interface Addresses {
  readonly publicUrl: string
  /** URL of ingest, if it is a different one */
  readonly ingestUrl?: string | undefined
}

const DESCRIPTION = [
  'Every error answer is { error: { code, message, details? } }; the codes are in docs/errors.md.',
  'Each call lists the codes that it may return.',
  'Unknown fields and parameters are refused by name. Answers with rows are sent as CSV with `Accept: text/csv`.',
].join(' ')

const securitySchemes = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    description: 'hw_... sends events of its app, hr_... reads its app, ha_... administrates its organization',
  },
  basic: {
    type: 'http',
    scheme: 'basic',
    description: 'ingest only: the write key as user name, with any password, as clients of the Segment API send it',
  },
  header: { type: 'apiKey', in: 'header', name: 'X-Api-Key', description: 'the same keys' },
  parameter: { type: 'apiKey', in: 'query', name: 'key', description: 'the same keys, for clients without headers' },
  cookie: {
    type: 'apiKey',
    in: 'cookie',
    name: 'hopper_session',
    description: 'a login of the dashboard; calls that change something must also send X-Hopper-Csrf',
  },
  sharedLink: {
    type: 'apiKey',
    in: 'header',
    name: 'X-Hopper-Share',
    description:
      'a shared link that was opened: its id beside its cookie, or the `session` that a frame got; ' +
      'answers its view only',
  },
}

type Operation = { [CALL_NUMBER]?: number; operationId: string; summary: string; description?: string; tags?: string[] }

/**
 * Builds the OpenAPI 3.1 description of every call, including those of ingest, from the declarations of the
 * controllers.
 */
export function describeApi(app: INestApplication, { publicUrl, ingestUrl }: Addresses): OpenAPIObject {
  const settings = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Hopper')
    .setDescription(DESCRIPTION)
    .setVersion('1')
    .addServer(publicUrl)
    .build()
  const found = SwaggerModule.createDocument(app, settings, {
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}_${method}`,
  })
  const components = new Components()
  components.schemas['Error'] = errorSchema
  const ingest = ingestPaths(components, ingestUrl === undefined ? undefined : [{ url: ingestUrl }])
  const operations = Object.entries(found.paths).map(
    ([path, item]) => [path, operationsBeside(item, ingest[path])] as const,
  )
  // answers first: a schema used for both keeps its name in the answers
  describeAll(operations, new Components(), components)
  const described = describeAll(operations, components, components)
  const paths = Object.fromEntries(
    [...new Set([...Object.keys(described), ...Object.keys(ingest)])].map((path) => [
      path,
      { ...described[path], ...ingest[path] },
    ]),
  )
  const { schema, definitions } = sharedDefinitions({ paths, schemas: components.schemas }, '#/components/schemas/')
  const plain = schema as { paths: OpenAPIObject['paths']; schemas: object }
  return {
    ...found,
    paths: plain.paths,
    components: { securitySchemes, schemas: { ...plain.schemas, ...definitions } } as never,
  }
}

/** Returns the operations of a path without those that ingest serves: standalone serves both at one address. */
function operationsBeside(item: object, ofIngest: object = {}): object {
  return Object.fromEntries(Object.entries(item).filter(([method]) => !Object.hasOwn(ofIngest, method)))
}

function describeAll(
  paths: readonly (readonly [string, object])[],
  components: Components,
  answers: Components,
): Record<string, object> {
  return Object.fromEntries(paths.map(([path, item]) => [path, describePath(path, item, components, answers)]))
}

function describePath(path: string, item: object, components: Components, answers: Components): object {
  const operations = Object.entries(item) as [string, Operation][]
  return Object.fromEntries(
    operations.map(([method, { [CALL_NUMBER]: number, operationId, summary, description, tags }]) => {
      const call = numberedCall(number)
      if (components !== answers && call.answer) answers.answer(call.answer)
      return [method, { operationId, summary, description, tags, ...operationOf(call, method, path, components) }]
    }),
  )
}
