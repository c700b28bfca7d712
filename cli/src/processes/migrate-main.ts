import { migrate } from '@hopper/storage/cassandra'
import { createExternalTopic } from '@hopper/storage/kafka'
import type { ConfigOf } from '../config/config.ts'
import { keyLines } from './greeting.ts'
import { provisionAll } from './provisioning.ts'
import { cassandraSettings, kafkaSettings, openCluster } from '../installation/open-storage.ts'

const DASHBOARD_URL = 'http://127.0.0.1:8080'

/** Applies missing migrations and creates missing topics; returns the text for the person. */
export async function migrateCluster(config: ConfigOf<'migrate'>): Promise<string> {
  const applied = await migrate(cassandraSettings(config))
  // Opening the log creates its topic, or refuses one with a different number of lanes.
  const { registry, close } = await openCluster(config)
  try {
    const { newKeys, loginUrl } = await provisionAll(
      registry,
      { file: config.provision, demoKey: config.demoKey, isDemoPublic: true },
      config.publicUrl ?? DASHBOARD_URL,
    )
    return [
      applied.length === 0 ? 'The keyspace is up to date.' : `Applied to the keyspace: ${applied.join(', ')}.`,
      ...(await externalTopicLines(config)),
      ...keyLines(newKeys),
      ...(loginUrl
        ? [
            '',
            `Dashboard   ${loginUrl}`,
            '            (this link logs its owner in, once; every "hopper migrate" prints a new one)',
          ]
        : []),
      '',
    ].join('\n')
  } finally {
    await close()
  }
}

/** Creates the topic that other systems write; returns what the person should know of it. */
async function externalTopicLines(config: ConfigOf<'migrate'>): Promise<string[]> {
  const topic = config.externalTopic
  const state = await createExternalTopic({ ...kafkaSettings(config), topic })
  switch (state) {
    case 'exists':
      return []
    case 'created':
      return [`Created the topic ${topic}, which other systems may write.`]
    case 'forbidden':
      return [`This user of Kafka may not create the topic ${topic}. Ingest reads it as soon as it exists.`]
  }
}
