import 'reflect-metadata'
import { NotFoundException } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import { SwaggerModule } from '@nestjs/swagger'
import { limits, RouteTable } from '@hopper/contracts'
import { fastify as createFastify, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import { AlertRunner } from './alerts/alert-runner.ts'
import { Completeness } from './answers/completeness.ts'
import { AppModule } from './app.module.ts'
import { compressAnswers } from './http/compression.ts'
import { DashboardFiles } from './http/dashboard-files.ts'
import { tagAnswers } from './http/entity-tag.ts'
import { ErrorFilter } from './http/error-filter.ts'
import { registerJsonBody } from './http/bodies/json-body.ts'
import { measureRequests } from './http/request-metrics.ts'
import { isApiPath, secureHeaders } from './http/secure-headers.ts'
import { describeApi } from './openapi/openapi.ts'
import type { ApiOptions } from './options.ts'

/**
 * Creates the dashboard API over the ports, ready to `listen`. In standalone it shares the Fastify instance of ingest;
 * unknown paths and errors outside ingest's own scope are then handled here. Such an instance has its `RouteTable`
 * before its routes, so that a wrong method on one of them is refused as such.
 */
export async function createApi(
  options: ApiOptions,
  fastify: FastifyInstance = ownFastify(options),
): Promise<NestFastifyApplication> {
  const routes = RouteTable.of(fastify)
  fastify.addHook('onRequest', (request, reply, done) => {
    if (request.is404 && request.method === 'OPTIONS' && routes.methodsOf(request.url).length > 0) {
      void reply.code(204).header('allow', routes.methodsOf(request.url).join(', ')).send()
      return
    }
    if (request.is404 && !BODILESS.has(request.method)) return done(new NotFoundException())
    if (isApiPath(request.url)) {
      secureHeaders(reply, request.url.startsWith('/docs'))
      void reply.header('cache-control', 'no-store')
    }
    done()
  })
  registerJsonBody(fastify)
  tagAnswers(fastify)
  await compressAnswers(fastify)
  measureRequests(fastify, options.metrics)
  const dashboard = options.dashboardDir === undefined ? undefined : new DashboardFiles(options.dashboardDir)
  await dashboard?.register(fastify)
  const adapter = new FastifyAdapter(fastify)
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.over(options, dashboard), adapter, {
    logger: false,
    bodyParser: false,
    abortOnError: false,
  })
  app.useGlobalFilters(new ErrorFilter(routes, dashboard, options.logger))
  // Built at the first request, so that the start does not wait for it.
  SwaggerModule.setup('docs', app, () => describeApi(app, options), {
    jsonDocumentUrl: 'openapi.json',
    raw: ['json'],
    customSiteTitle: 'Hopper API',
  })
  if (options.worksWithout?.length) {
    const watch = app.get(Completeness).watch()
    fastify.addHook('onClose', async () => watch.stop())
  }
  await app.init()
  if (options.alerts?.checkEveryMs !== undefined) app.get(AlertRunner).start(options.alerts.checkEveryMs)
  await fastify.ready()
  return app
}

/** Methods without a body, which may request a page of the dashboard. */
const BODILESS = new Set(['GET', 'HEAD'])

/** an id of 256 characters, each of them percent-encoded */
const PATH_PART_CHARS_MAX = 1_024

/** Creates a server that does not log requests, because their URLs may contain keys. */
function ownFastify(options: ApiOptions): FastifyInstance {
  const loggerInstance: FastifyBaseLogger = options.logger
  return createFastify({
    loggerInstance,
    disableRequestLogging: true,
    bodyLimit: limits.bodyBytesMax,
    // an idle connection that never sent a request would keep the server open
    forceCloseConnections: true,
    routerOptions: { maxParamLength: PATH_PART_CHARS_MAX },
  })
}
