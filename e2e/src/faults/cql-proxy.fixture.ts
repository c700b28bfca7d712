import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** The request that an answer belongs to: a batch of counters, any other batch, or something else. */
export type RequestKind = 'counters' | 'batch' | 'other'
/** The handling of an answer: it is forwarded, it is lost, or the connection is cut instead. */
export type Fate = 'pass' | 'lose' | 'cut'

const HEADER_BYTES = 9
const BATCH = 0x0d
const COUNTER_BATCH = 2

/**
 * A TCP proxy on the loopback in front of one Cassandra node. It decides about each answer after the node has executed
 * the request. It parses the frames of CQL's protocol up to version 4: version, flags, stream (2 bytes), opcode, length
 * (4 bytes), body.
 */
export class CqlProxy implements AsyncDisposable {
  /** decides about each answer */
  fate: (kind: RequestKind) => Fate = () => 'pass'
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  static async before(contactPoint: string): Promise<CqlProxy> {
    const index = contactPoint.lastIndexOf(':')
    const proxy = new CqlProxy(contactPoint.slice(0, index), Number(contactPoint.slice(index + 1)))
    await once(proxy.#server.listen(0, '127.0.0.1'), 'listening')
    return proxy
  }

  private constructor(host: string, port: number) {
    this.#server = createServer((client) => this.#serve(client, connect(port, host)))
  }

  get contactPoint(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await once(this.#server, 'close')
  }

  #serve(client: Socket, node: Socket): void {
    const kinds = new Map<number, RequestKind>()
    for (const [socket, other] of [
      [client, node],
      [node, client],
    ] as const) {
      this.#sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => other.destroy())
      socket.on('close', () => (this.#sockets.delete(socket), other.destroy()))
    }
    client.on(
      'data',
      frames((frame) => {
        kinds.set(frame.readInt16BE(2), kindOf(frame))
        node.write(frame)
      }),
    )
    node.on(
      'data',
      frames((frame) => {
        const stream = frame.readInt16BE(2)
        const fate = this.fate(kinds.get(stream) ?? 'other')
        kinds.delete(stream)
        if (fate === 'pass') client.write(frame)
        if (fate === 'cut') client.destroy()
      }),
    )
  }
}

function kindOf(frame: Buffer): RequestKind {
  if (frame[4] !== BATCH) return 'other'
  return frame[HEADER_BYTES] === COUNTER_BATCH ? 'counters' : 'batch'
}

/** Splits a stream into whole frames. */
function frames(take: (frame: Buffer) => void): (data: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  return (data) => {
    rest = rest.length === 0 ? data : Buffer.concat([rest, data])
    while (rest.length >= HEADER_BYTES && rest.length >= HEADER_BYTES + rest.readInt32BE(5)) {
      const end = HEADER_BYTES + rest.readInt32BE(5)
      take(rest.subarray(0, end))
      rest = rest.subarray(end)
    }
  }
}
