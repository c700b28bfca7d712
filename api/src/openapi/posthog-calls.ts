import { EventsAnswer, PosthogBatch } from '@hopper/contracts'
import { Type } from 'typebox'
import type { Components } from './components.ts'
import { errorResponses } from './errors.ts'
import { always, clientCall, json, keyErrors, text } from './ingest-parts.ts'

const calls = { batch: '/batch/', e: '/e/', capture: '/capture/', track: '/track/', engage: '/engage/', v0: '/i/v0/e/' }
const tags = ['Clients of other products']
const key = { name: 'key', in: 'path', required: true, schema: { type: 'string' }, description: 'the write key' }

const PosthogAnswer = Type.Object({ status: Type.Literal(1), ...EventsAnswer.properties })

/** The calls of PostHog's clients by path; each is answered without its last slash, too. */
export function posthogPaths(components: Components): Record<string, object> {
  components.schemas['PosthogBatch'] = PosthogBatch
  const events = Object.entries(calls).map(([name, path]) => [
    path,
    {
      post: clientCall(
        {
          operationId: `Posthog_${name}`,
          summary: 'Send events of PostHog; each is accepted or listed as rejected',
          description: 'One event, or a list, is taken as well; in gzip or base64, as the clients wrap them.',
          body: 'PosthogBatch',
          answer: PosthogAnswer,
        },
        components,
      ),
    },
  ])
  return {
    ...(Object.fromEntries(events) as Record<string, object>),
    '/flags/': { post: flags('Posthog_flags') },
    '/decide/': { post: flags('Posthog_decide') },
    '/array/{key}/config': { get: settings('Posthog_config', 'application/json') },
    '/array/{key}/config.js': { get: settings('Posthog_configScript', 'text/javascript') },
    '/s/': { post: recordings },
  }
}

function flags(operationId: string): object {
  return {
    operationId,
    tags,
    summary: 'Answers that no feature flag is on for anybody',
    security: [],
    responses: {
      200: json({ type: 'object', properties: { featureFlags: { type: 'object' }, flags: { type: 'object' } } }),
      ...errorResponses([...always, 'HOP_BODY_INVALID', 'HOP_BODY_TOO_LARGE']),
    },
  }
}

function settings(operationId: string, type: string): object {
  const schema = type === 'application/json' ? { schema: { type: 'object' } } : text
  return {
    operationId,
    tags,
    summary: 'What a project has turned on: nothing but events',
    security: [],
    parameters: [key],
    responses: {
      200: { description: 'the settings', content: { [type]: schema } },
      ...errorResponses([...always, ...keyErrors]),
    },
  }
}

const recordings = {
  operationId: 'Posthog_recordings',
  tags,
  summary: 'Refuses session recordings, which are not supported',
  security: [],
  responses: errorResponses([...always, 'HOP_NOT_SUPPORTED']),
}
