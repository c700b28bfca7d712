import { collectBody, type BodyMemory } from '@hopper/contracts'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Gate } from '../admission/gate.ts'
import { arriving } from '../http/body-parser.ts'
import { allowAnyOrigin, onlyMethod } from '../http/cors.ts'

/**
 * Features of the browser client: all off whose data would go to calls that do not exist here. Surveys are left out,
 * because the client loads their script even when they are off.
 */
const config = {
  supportedCompression: ['gzip', 'gzip-js'],
  hasFeatureFlags: false,
  sessionRecording: false,
  heatmaps: false,
  captureDeadClicks: false,
  capturePerformance: false,
  autocaptureExceptions: false,
  errorTracking: { autocaptureExceptions: false, suppressionRules: [] },
  productTours: false,
  conversations: false,
  defaultIdentifiedOnly: true,
  elementsChainAsString: true,
  isAuthenticated: false,
  analytics: { endpoint: '/e/' },
  siteApps: [],
  toolbarParams: {},
}

/** No flag is on for anybody. */
const flags = {
  ...config,
  flags: {},
  featureFlags: {},
  featureFlagPayloads: {},
  errorsWhileComputingFlags: false,
}

/**
 * Serves the calls that PostHog's clients make before they send events: the settings of a project, and its feature
 * flags.
 */
export function posthogSettingsRoutes(server: FastifyInstance, gate: Gate, memory: BodyMemory): void {
  const onRequest = async (_request: unknown, reply: FastifyReply): Promise<void> => allowAnyOrigin(reply)
  const onUnkeyed = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    allowAnyOrigin(reply)
    gate.admitSource(request)
  }
  // the body names the person whose flags are requested: it is read and ignored, since the connection could not
  // continue otherwise
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', (request, payload, done) =>
    collectBody(
      arriving(request, payload, memory),
      (body) => {
        gate.chargeSource(request, body.length)
        done(null)
      },
      (error, bytes) => {
        gate.chargeSource(request, bytes)
        done(error)
      },
    ),
  )
  for (const url of ['/flags', '/flags/', '/decide', '/decide/']) {
    onlyMethod(server, 'POST', url)
    server.post(url, { config: { access: 'nothing' }, onRequest: onUnkeyed }, () => flags)
  }
  settings('/array/:key/config', 'application/json', () => JSON.stringify(config))
  settings('/array/:key/config.js', 'text/javascript', script)

  function settings(url: string, type: string, text: (key: string) => string): void {
    onlyMethod(server, 'GET', url)
    server.get(url, { config: { access: 'write' }, onRequest }, async (request, reply) => {
      const { key } = request.params as { key: string }
      await gate.admitKey(key, request)
      reply.header('cache-control', 'public, max-age=60').type(`${type}; charset=utf-8`)
      return reply.send(text(key))
    })
  }
}

/** Returns a script that puts the settings where the client looks for them. The key is one that exists. */
function script(key: string): string {
  const all = 'window._POSTHOG_REMOTE_CONFIG'
  return `${all} = ${all} || {};\n${all}[${JSON.stringify(key)}] = ${JSON.stringify({ config, siteApps: [] })};\n`
}
