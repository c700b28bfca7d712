import { HopperError } from '@hopper/contracts'
import { Kafka, type Admin } from 'kafkajs'
import { promptConfig, type KafkaSettings } from './settings.ts'
import { Sockets } from './sockets.ts'
import { unavailable, withTimeout } from './with-timeout.ts'

interface Client {
  readonly admin: Promise<Admin>
  readonly sockets: Sockets
}

/**
 * Sends admin requests to the brokers; each succeeds or fails in bounded time. After a failure the client is created
 * again: the client of kafkajs does not recover from every fault (once it has not found a topic, it always fails).
 */
export class AdminClient {
  readonly #settings: KafkaSettings
  #client: Client | undefined

  constructor(settings: KafkaSettings) {
    this.#settings = settings
  }

  /**
   * @throws HopperError HOP_LOG_UNAVAILABLE when Kafka does not answer in time; a HopperError that `request` throws is
   * passed on
   */
  async send<T>(request: (admin: Admin) => Promise<T>): Promise<T> {
    const client = (this.#client ??= connect(this.#settings))
    try {
      return await withTimeout(this.#settings.timeoutMs, client.admin.then(request))
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
  // Not retried, unlike a producer's request: creating a topic may take the whole time limit.
  const admin = new Kafka({ ...promptConfig(settings, sockets), requestTimeout: settings.timeoutMs }).admin()
  return { sockets, admin: admin.connect().then(() => admin) }
}
