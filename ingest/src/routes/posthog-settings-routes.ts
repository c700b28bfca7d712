import type { FastifyInstance } from 'fastify'
import type { Gate } from '../admission/gate.ts'
import { collect } from '../batch/payload.ts'
import { allowAnyOrigin, onlyMethod } from '../http/cors.ts'

/**
 * What the browser client may turn on: nothing that would be sent to a call that does not exist here. Surveys are not
 * named: even when they are off, the client loads their script.
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

/** Serves what PostHog's clients ask before they send events: the settings of a project, and its feature flags. */
export function posthogSettingsRoutes(server: FastifyInstance, gate: Gate): void {
  const onRequest = async (_request: unknown, reply: Parameters<typeof allowAnyOrigin>[0]): Promise<void> =>
    allowAnyOrigin(reply)
  // the body says for whom flags are asked: it is read, as a connection cannot go on otherwise, and nobody looks at it
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', ({ headers }, payload, done) =>
    collect(payload, headers['content-length'], () => done(null), done),
  )
  for (const url of ['/flags', '/flags/', '/decide', '/decide/']) {
    onlyMethod(server, 'POST', url)
    server.post(url, { onRequest }, () => flags)
  }
  settings('/array/:key/config', 'application/json', () => JSON.stringify(config))
  settings('/array/:key/config.js', 'text/javascript', script)

  function settings(url: string, type: string, text: (key: string) => string): void {
    onlyMethod(server, 'GET', url)
    server.get(url, { onRequest }, async (request, reply) => {
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
