import { HopperError } from '@hopper/contracts'
import type { Admin } from 'kafkajs'
import type { KafkaSettings } from './settings.ts'

/**
 * Makes sure that the topic is there with exactly L partitions: partition = lane for ever, so a topic with another number is refused. Kept for ever by
 * default (`retention.ms` -1): the log is the truth until the archive has it.
 */
export async function ensureTopic(admin: Admin, { topic, lanes, replication }: KafkaSettings): Promise<void> {
  const configEntries = [
    { name: 'retention.ms', value: '-1' },
    { name: 'min.insync.replicas', value: String(Math.max(1, replication - 1)) },
    { name: 'max.message.bytes', value: '8000000' },
  ]
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: lanes, replicationFactor: replication, configEntries }] })
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  const found = topics[0]?.partitions.length
  if (found !== lanes) throw new HopperError('HOP_CONFIG', `Topic ${topic} has ${found} partitions, HOPPER_LANES says ${lanes}.`)
}
