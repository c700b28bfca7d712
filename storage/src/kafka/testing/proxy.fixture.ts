import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** The fate of a broker's response: passed on, lost, or lost together with the connection. */
export type Fate = 'pass' | 'lose' | 'cut'

/** `apiKey` of Kafka's protocol */
export const PRODUCE = 0
export const FETCH = 1
const LIST_OFFSETS = 2
export const METADATA = 3
export const FIND_COORDINATOR = 10

/**
 * A TCP proxy on the loopback in front of one broker. It loses responses after the broker has handled the request. It
 * parses the frames of Kafka's protocol, and replaces the broker's address in responses by its own, so that a client
 * returns to it.
 */
export class KafkaProxy implements AsyncDisposable {
  /** decides the fate of each response, and may change its bytes: length (4), correlation id (4), then the content */
  fate: (apiKey: number, answer: Buffer) => Fate = () => 'pass'
  /** maximum number of concurrently unanswered producer requests */
  producingMost = 0
  /** number of lost responses, including cut ones */
  lost = 0
  /** bytes received from the broker */
  bytesAnswered = 0
  readonly #host: string
  readonly #port: number
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  #listens = 0

  private constructor(broker: string) {
    const index = broker.lastIndexOf(':')
    this.#host = broker.slice(0, index)
    this.#port = Number(broker.slice(index + 1))
  }

  static async before(broker: string): Promise<KafkaProxy> {
    const proxy = new KafkaProxy(broker)
    await proxy.back()
    return proxy
  }

  get address(): string {
    return `127.0.0.1:${this.#listens}`
  }

  /** Closes every connection now. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Stops answering: closes connections and refuses new ones. */
  async cutOff(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    server?.close()
    this.cut()
    if (server?.listening) await once(server, 'close')
  }

  /** Answers again, at the same address as before. */
  async back(): Promise<void> {
    this.#server = createServer((client) => this.#serve(client)).listen(this.#listens, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#listens = (this.#server.address() as AddressInfo).port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cutOff()
  }

  #serve(client: Socket): void {
    const broker = connect(this.#port, this.#host)
    const pendingApiKeys = new Map<number, number>()
    for (const [socket, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      this.#sockets.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => (this.#sockets.delete(socket), other.destroy()))
    }
    client.on(
      'data',
      frames((frame) => {
        pendingApiKeys.set(frame.readInt32BE(8), frame.readInt16BE(4))
        this.producingMost = Math.max(
          this.producingMost,
          [...pendingApiKeys.values()].filter((apiKey) => apiKey === PRODUCE).length,
        )
        broker.write(frame)
      }),
    )
    broker.on(
      'data',
      frames((frame) => {
        const apiKey = pendingApiKeys.get(frame.readInt32BE(4)) ?? -1
        pendingApiKeys.delete(frame.readInt32BE(4))
        this.bytesAnswered += frame.length
        const fate = this.fate(apiKey, frame)
        if (fate === 'pass')
          return void client.write(apiKey === PRODUCE || apiKey === FETCH ? frame : this.#readdressed(frame))
        this.lost++
        if (fate === 'cut') client.destroy()
      }),
    )
  }

  #readdressed(frame: Buffer): Buffer {
    const [theirs, ours] = [addressBytes(this.#host, this.#port), addressBytes(this.#host, this.#listens)]
    for (let index = frame.indexOf(theirs); index >= 0; index = frame.indexOf(theirs, index + 1))
      ours.copy(frame, index)
    return frame
  }
}

/** A host and a port as encoded in a response. */
function addressBytes(host: string, port: number): Buffer {
  const bytes = Buffer.alloc(2 + host.length + 4)
  bytes.writeInt16BE(host.length, 0)
  bytes.write(host, 2)
  bytes.writeInt32BE(port, 2 + host.length)
  return bytes
}

const UNKNOWN_TOPIC_OR_PARTITION = 3
const NOT_LEADER_OR_FOLLOWER = 6

/**
 * Returns a fate that changes the first responses that name a topic: they then say that the broker does not know it, as
 * right after its creation. `left` counts down to 0.
 */
export function unknownAtFirst(topic: string, state: { left: number }): KafkaProxy['fate'] {
  return errorAtFirst(METADATA, topic, state, (answer, offset) =>
    answer.writeInt16BE(UNKNOWN_TOPIC_OR_PARTITION, offset - 2),
  )
}

/**
 * Returns a fate that changes the first responses about the offsets of a topic: they then say that the broker does not
 * lead its first partition, as right after its creation and while leaders change.
 */
export function notLeaderAtFirst(topic: string, state: { left: number }): KafkaProxy['fate'] {
  // After the name: the number of partitions (4 bytes), the first partition (4), its error.
  const toError = 2 + topic.length + 8
  return errorAtFirst(LIST_OFFSETS, topic, state, (answer, offset) =>
    answer.writeInt16BE(NOT_LEADER_OR_FOLLOWER, offset + toError),
  )
}

/**
 * Spoils the first `state.left` responses of a kind that name the topic; `offset` is where the length of its name
 * stands.
 */
function errorAtFirst(
  kind: number,
  topic: string,
  state: { left: number },
  spoil: (answer: Buffer, offset: number) => void,
): KafkaProxy['fate'] {
  const name = Buffer.concat([Buffer.from([0, topic.length]), Buffer.from(topic)])
  return (apiKey, answer) => {
    const offset = apiKey === kind ? answer.indexOf(name) : -1
    if (offset >= 0 && state.left > 0) {
      spoil(answer, offset)
      state.left--
    }
    return 'pass'
  }
}

/** Splits a stream into whole frames: a length of four bytes, then that number of bytes. */
function frames(take: (frame: Buffer) => void): (data: Buffer) => void {
  let held: Buffer[] = []
  let bytes = 0
  let wanted = 4
  return (data) => {
    held.push(data)
    bytes += data.length
    if (bytes < wanted) return
    let rest = held.length === 1 ? data : Buffer.concat(held)
    while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
      const end = 4 + rest.readInt32BE(0)
      take(rest.subarray(0, end))
      rest = rest.subarray(end)
    }
    held = [rest]
    bytes = rest.length
    wanted = rest.length >= 4 ? 4 + rest.readInt32BE(0) : 4
  }
}
