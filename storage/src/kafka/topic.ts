import { setTimeout } from 'node:timers/promises'
import { HopperError } from '@hopper/contracts'
import type { Admin, ITopicConfig } from 'kafkajs'
import type { KafkaSettings } from './settings.ts'

const METADATA_RETRY_MS = 100

/**
 * Ensures that the topic exists with one partition for each lane. Devices never change their lane, so a topic with
 * another number is refused. Messages are retained without limit by default (`retention.ms` -1): the log is the source
 * of truth until the archive has them.
 * @throws HopperError HOP_CONFIG when the topic has a different number of partitions
 */
export async function ensureTopic(admin: Admin, settings: KafkaSettings): Promise<void> {
  const { topic, lanes, replication } = settings
  // Checked first, so that a user who may not create topics can use an existing one.
  if (!(await admin.listTopics()).includes(topic)) {
    const created = { topic, numPartitions: lanes, replicationFactor: replication }
    await createTopic(admin, { ...created, configEntries: configEntries(replication) })
  }
  const found = await partitionsOf(admin, settings)
  if (found !== lanes)
    throw new HopperError('HOP_CONFIG', `Topic ${topic} has ${found} partitions, HOPPER_LANES says ${lanes}.`)
}

/** Creates a topic; returns false if it exists. `partitionsOf` waits until brokers know it. */
function createTopic(admin: Admin, topic: ITopicConfig): Promise<boolean> {
  // When kafkajs waits for leaders, it fails as long as the broker does not know the topic at all.
  return admin.createTopics({ waitForLeaders: false, topics: [topic] })
}

/**
 * Returns the number of partitions of a topic that exists. Brokers learn of a new topic and its leaders some time after
 * the controller has created it, so an unknown topic is requested again until the time limit of a request.
 */
async function partitionsOf(
  admin: Admin,
  { topic, timeoutMs }: Pick<KafkaSettings, 'topic' | 'timeoutMs'>,
): Promise<number | undefined> {
  const { topics } = await untilSettled(timeoutMs, () => admin.fetchTopicMetadata({ topics: [topic] }))
  return topics[0]?.partitions.length
}

/**
 * Repeats a request for `timeoutMs` while brokers do not know the topic yet, or while its leaders change.
 * @throws the request's last error
 */
export async function untilSettled<T>(timeoutMs: number, request: () => Promise<T>): Promise<T> {
  const end = performance.now() + timeoutMs
  for (;;) {
    try {
      return await request()
    } catch (error) {
      if (!isUnsettled(error) || performance.now() > end) throw error
      await setTimeout(METADATA_RETRY_MS)
    }
  }
}

const UNSETTLED = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE', 'NOT_LEADER_FOR_PARTITION'])

function isUnsettled(error: unknown): boolean {
  const { type } = ((error instanceof HopperError && error.cause) || error) as { readonly type?: string }
  return UNSETTLED.has(type ?? '')
}

/** Outcome of asking for a topic that other systems write. */
export type ExternalTopicState = 'exists' | 'created' | 'forbidden'

/**
 * Creates the topic that other systems write, with a partition for each lane. A topic that exists is not changed and
 * may have any number of partitions. Its retention is the broker's default, since messages that were read are in the
 * log. Reports a user who may not create topics as `forbidden`: another user can create it later.
 */
export async function ensureExternalTopic(admin: Admin, settings: KafkaSettings): Promise<ExternalTopicState> {
  const { topic, lanes, replication } = settings
  if ((await admin.listTopics()).includes(topic)) return 'exists'
  try {
    const wasCreated = await createTopic(admin, { topic, numPartitions: lanes, replicationFactor: replication })
    await partitionsOf(admin, settings)
    // false: another process created it in the meantime
    return wasCreated ? 'created' : 'exists'
  } catch (error) {
    if (isForbidden(error)) return 'forbidden'
    throw error
  }
}

/** kafkajs puts the errors of several topics into one. */
function isForbidden(error: unknown): boolean {
  const { type, errors = [] } = error as { readonly type?: string; readonly errors?: readonly unknown[] }
  return type === 'TOPIC_AUTHORIZATION_FAILED' || type === 'CLUSTER_AUTHORIZATION_FAILED' || errors.some(isForbidden)
}

function configEntries(replication: number): { name: string; value: string }[] {
  return [
    { name: 'retention.ms', value: '-1' },
    // With one replica down, acknowledged messages are still on two disks.
    { name: 'min.insync.replicas', value: String(Math.max(1, replication - 1)) },
    { name: 'max.message.bytes', value: '8000000' },
  ]
}
