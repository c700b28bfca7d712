import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Gate } from '../admission/gate.ts'
import { allowAnyOrigin, onlyMethod } from '../http/cors.ts'

const URL = '/v1/projects/:key/settings'

/**
 * Serves `GET /v1/projects/KEY/settings`, the settings that Segment's browser client loads before it sends anything. It
 * names this host as the only destination, and turns off the client's metrics about itself, which would go to Segment.
 */
export function segmentSettingsRoute(server: FastifyInstance, gate: Gate): void {
  onlyMethod(server, 'GET', URL)
  server.get(
    URL,
    { config: { access: 'write' }, onRequest: async (_request, reply) => allowAnyOrigin(reply) },
    async (request, reply) => {
      const { key } = request.params as { key: string }
      await gate.admitKey(key, request)
      // private: the answer depends on the address under which this host was called
      reply.header('cache-control', 'private, max-age=60')
      return settingsFor(key, request)
    },
  )
}

function settingsFor(apiKey: string, request: FastifyRequest): object {
  const protocol = schemeOf(request)
  return {
    integrations: {
      'Segment.io': {
        apiKey,
        apiHost: `${request.host}/v1`,
        protocol,
        addBundledMetadata: false,
        unbundledIntegrations: [],
        versionSettings: { version: '4.4.7', componentTypes: ['browser'] },
        type: 'browser',
        bundlingStatus: 'bundled',
      },
    },
    plan: { track: { __default: { enabled: true } }, identify: { __default: { enabled: true } } },
    metrics: { sampleRate: 0 },
    enabledMiddleware: {},
    legacyVideoPluginsEnabled: false,
    remotePlugins: [],
  }
}

/**
 * Returns the scheme of the address that the page called. The proxy's header is believed from anybody: the answer
 * concerns only who asks.
 */
function schemeOf({ headers, protocol }: FastifyRequest): string {
  const forwarded = headers['x-forwarded-proto']
  return typeof forwarded === 'string' && /^https\b/i.test(forwarded) ? 'https' : protocol
}
