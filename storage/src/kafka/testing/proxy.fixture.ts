import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** What becomes of an answer of the broker: it goes on, it is lost, or it is lost and the connection with it. */
export type Fate = 'pass' | 'lose' | 'cut'

/** `apiKey` of Kafka's protocol */
export const PRODUCE = 0
export const FETCH = 1
export const FIND_COORDINATOR = 10

/**
 * A TCP proxy on the loopback before one broker, which loses answers after the broker has done what was asked. It reads
 * the frames of Kafka's protocol, and puts its own address where an answer names the broker's, so that a client comes
 * back to it.
 */
export class KafkaProxy implements AsyncDisposable {
  /**
   * decides over each answer, and may change its bytes: length (4), correlation id (4), then what the kind of answer
   * says
   */
  fate: (apiKey: number, answer: Buffer) => Fate = () => 'pass'
  /** the most requests of producers that were unanswered at once */
  producingMost = 0
  /** answers that were lost, one way or the other */
  lost = 0
  /** bytes that came from the broker */
  bytesAnswered = 0
  readonly #host: string
  readonly #port: number
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  #listens = 0

  private constructor(broker: string) {
    const at = broker.lastIndexOf(':')
    this.#host = broker.slice(0, at)
    this.#port = Number(broker.slice(at + 1))
  }

  static async before(broker: string): Promise<KafkaProxy> {
    const proxy = new KafkaProxy(broker)
    await proxy.back()
    return proxy
  }

  get address(): string {
    return `127.0.0.1:${this.#listens}`
  }

  /** Every connection ends now. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Nobody answers any more: connections end, new ones are refused. */
  async away(): Promise<void> {
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
    await this.away()
  }

  #serve(client: Socket): void {
    const broker = connect(this.#port, this.#host)
    const asked = new Map<number, number>()
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
        asked.set(frame.readInt32BE(8), frame.readInt16BE(4))
        this.producingMost = Math.max(
          this.producingMost,
          [...asked.values()].filter((apiKey) => apiKey === PRODUCE).length,
        )
        broker.write(frame)
      }),
    )
    broker.on(
      'data',
      frames((frame) => {
        const apiKey = asked.get(frame.readInt32BE(4)) ?? -1
        asked.delete(frame.readInt32BE(4))
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
    for (let at = frame.indexOf(theirs); at >= 0; at = frame.indexOf(theirs, at + 1)) ours.copy(frame, at)
    return frame
  }
}

/** A host and a port as they stand in an answer. */
function addressBytes(host: string, port: number): Buffer {
  const bytes = Buffer.alloc(2 + host.length + 4)
  bytes.writeInt16BE(host.length, 0)
  bytes.write(host, 2)
  bytes.writeInt32BE(port, 2 + host.length)
  return bytes
}

/** Cuts a stream into whole frames: a length of four bytes and so many bytes more. */
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
