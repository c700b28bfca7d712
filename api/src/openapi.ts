import type { INestApplication } from '@nestjs/common'
import { sharedDefinitions } from '@hopper/contracts'
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger'

/** The OpenAPI 3.1 description of every call, made from what the controllers say. */
export function describeApi(app: INestApplication): OpenAPIObject {
  const settings = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Hopper')
    .setDescription('The dashboard API. Errors: { error: { code, message, details? } }; the codes are in docs/errors.md.')
    .setVersion('1')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'hr_... reads its app, ha_... administrates its organization' }, 'key')
    .addApiKey({ type: 'apiKey', in: 'header', name: 'X-Api-Key' }, 'header')
    .addApiKey({ type: 'apiKey', in: 'query', name: 'key' }, 'parameter')
    .addSecurityRequirements('key')
    .addSecurityRequirements('header')
    .addSecurityRequirements('parameter')
    .build()
  const document = SwaggerModule.createDocument(app, settings, {
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}_${method}`,
  })
  for (const [path, item] of Object.entries(document.paths)) namePathParts(path, item)
  const { schema: paths, definitions } = sharedDefinitions(document.paths, '#/components/schemas/')
  return { ...document, paths: paths as OpenAPIObject['paths'], components: { ...document.components, schemas: { ...document.components?.schemas, ...definitions } as never } }
}

/** The parts of a path are parameters like all others. */
function namePathParts(path: string, item: object): void {
  const parts = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: { type: 'string' } }))
  for (const operation of Object.values(item) as { parameters?: { name?: string; in?: string }[] }[]) {
    const others = (operation.parameters ?? []).filter((parameter) => parameter.in !== 'path')
    operation.parameters = [...(parts as { name: string; in: string }[]), ...others]
  }
}
