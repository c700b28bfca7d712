import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { ISocketFactory } from 'kafkajs'

const KEEP_ALIVE_MS = 60_000

/**
 * The sockets of one client, so that they can be ended reliably: after kafkajs' own disconnect, a request that is being
 * retried opens a new connection.
 */
export class Sockets {
  readonly #open = new Set<Socket>()
  #hasEnded = false

  readonly factory: ISocketFactory = ({ host, port, ssl, onConnect }) => {
    if (this.#hasEnded) throw new Error('This client was ended.')
    const socket = ssl
      ? connectTls({ host, port, ...(isIP(host) ? {} : { servername: host }), ...ssl }, onConnect)
      : connect({ host, port }, onConnect)
    // A request is written whole, so waiting for more data only delays it.
    socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS)
    this.#open.add(socket)
    return socket.once('close', () => this.#open.delete(socket))
  }

  /** Closes every socket and prevents new ones. */
  end(): void {
    this.#hasEnded = true
    for (const socket of this.#open) socket.destroy(new Error('This client was ended.'))
  }
}
