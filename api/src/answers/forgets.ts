import { forgetSteps } from '@hopper/contracts'
import { Type, type Static, type TInteger, type TRecord } from 'typebox'

const counts = (description: string): TRecord<string, TInteger> =>
  Type.Record(Type.String(), Type.Integer(), { description })

const tally = {
  events: counts('archived events by type, machines included'),
  bots: Type.Integer({ description: 'those of them that machines had sent, which no table counted' }),
  sessions: Type.Integer(),
  dead_letters: Type.Integer(),
  tables: Type.Record(Type.String(), Type.Record(Type.String(), Type.Integer()), {
    description: 'by how much each table counts less: sums of its counters, or rows of visitors',
  }),
  messages: Type.Integer({ description: 'messages of the log that changed' }),
  repeated: Type.Integer({ description: 'events of the log that only repeated an id' }),
  refused: Type.Integer({ description: 'events that ingest had refused' }),
  devices: Type.Integer(),
}

const lane = Type.Object({
  lane: Type.Integer(),
  step: Type.Enum([...forgetSteps], { description: 'what is done' }),
  problem: Type.Optional(Type.String({ description: 'why the lane cannot continue now' })),
  mark: Type.Optional(Type.Integer({ description: 'the position up to which events are forgotten' })),
  ...tally,
  whole_log: Type.Boolean({
    description: 'false: the log has lost messages, so duplicates and refused events were not recounted',
  }),
})

/** Progress of forgetting a person, and the certificate when it is done. */
export const ForgetAnswer = Type.Object({
  id: Type.String(),
  kind: Type.Enum(['user', 'device']),
  person_sha256: Type.String({ description: 'SHA-256 of JSON [app, kind, id]: the id itself is kept nowhere' }),
  requested_at: Type.Integer(),
  state: Type.Enum(['waiting', 'running', 'done']),
  share: Type.Number({ minimum: 0, maximum: 1 }),
  finished_at: Type.Optional(Type.Integer()),
  problem: Type.Optional(Type.String({ description: 'why it cannot be finished although every lane is done' })),
  kept_files: Type.Array(Type.String(), {
    description: 'files of the data directory that were left alone although they may contain events of the person',
  }),
  log_kept_until: Type.Optional(
    Type.Union([Type.Integer(), Type.Null()], {
      description:
        'in a cluster: when Kafka has deleted the messages of the person (ms); null: never, unless retention.ms of ' +
        'the topic is set. Until then nothing that reads them uses their events',
    }),
  ),
  removed: Type.Object(tally),
  lanes: Type.Array(lane, { description: 'lanes that had something of the person, or are not done' }),
})
export type ForgetAnswer = Static<typeof ForgetAnswer>

export const ForgetsAnswer = Type.Object({ forgets: Type.Array(ForgetAnswer) })
export type ForgetsAnswer = Static<typeof ForgetsAnswer>
