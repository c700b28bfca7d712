import { HopperError } from '@hopper/contracts'
import type { Admin } from 'kafkajs'
import type { KafkaSettings } from './settings.ts'

/**
 * Ensures that the topic exists with exactly L partitions. A partition is a lane and stays it, so a topic with another
 * number is refused. Messages are retained without limit by default (`retention.ms` -1): the log is the source of truth
 * until the archive has them.
 * @throws HopperError HOP_CONFIG when the topic has another number of partitions
 */
export async function ensureTopic(admin: Admin, { topic, lanes, replication }: KafkaSettings): Promise<void> {
  // Checked first, so that a user who may not create topics can use an existing one.
  if (!(await admin.listTopics()).includes(topic))
    await admin.createTopics({
      waitForLeaders: true,
      topics: [
        { topic, numPartitions: lanes, replicationFactor: replication, configEntries: configEntries(replication) },
      ],
    })
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  const found = topics[0]?.partitions.length
  if (found !== lanes)
    throw new HopperError('HOP_CONFIG', `Topic ${topic} has ${found} partitions, HOPPER_LANES says ${lanes}.`)
}

function configEntries(replication: number): { name: string; value: string }[] {
  return [
    { name: 'retention.ms', value: '-1' },
    // One replica may be down, and acknowledged messages are still on two disks.
    { name: 'min.insync.replicas', value: String(Math.max(1, replication - 1)) },
    { name: 'max.message.bytes', value: '8000000' },
  ]
}
