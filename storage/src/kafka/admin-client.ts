import { HopperError } from '@hopper/contracts'
import { Kafka, type Admin } from 'kafkajs'
import { promptConfig, type KafkaSettings } from './settings.ts'
import { Sockets } from './sockets.ts'
import { unavailable, within } from './within.ts'

interface Client {
  readonly admin: Promise<Admin>
  readonly sockets: Sockets
}

/**
 * Questions to the brokers, each answered or refused in bounded time. After one that was refused the client is made
 * anew: kafkajs' own does not recover from every fault (a topic that it once did not find makes it fail for ever).
 */
export class AdminClient {
  readonly #settings: KafkaSettings
  #client: Client | undefined

  constructor(settings: KafkaSettings) {
    this.#settings = settings
  }

  /**
   * @throws HopperError HOP_LOG_UNAVAILABLE when Kafka does not answer in time; what `question` throws as one of ours
   */
  async ask<T>(question: (admin: Admin) => Promise<T>): Promise<T> {
    const client = (this.#client ??= connect(this.#settings))
    try {
      return await within(this.#settings.timeoutMs, client.admin.then(question))
    } catch (error) {
      if (!(error instanceof HopperError && error.code === 'HOP_CONFIG')) this.#drop(client)
      throw unavailable(error)
    }
  }

  close(): void {
    if (this.#client) this.#drop(this.#client)
  }

  #drop(client: Client): void {
    client.sockets.end()
    if (this.#client === client) this.#client = undefined
  }
}

function connect(settings: KafkaSettings): Client {
  const sockets = new Sockets()
  // A question is not repeated like a request of a producer: making a topic may take all the time there is.
  const admin = new Kafka({ ...promptConfig(settings, sockets), requestTimeout: settings.timeoutMs }).admin()
  return { sockets, admin: admin.connect().then(() => admin) }
}
