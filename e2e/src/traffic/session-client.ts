import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { WebSocket, type RawData } from 'ws'

const RETRY_MS = 50
const ATTEMPTS_MAX = 2_000

/** An item of a message on a session's socket. */
export interface SessionItem {
  readonly type: 'SESSION_START' | 'EVENT' | 'SESSION_END'
  readonly timestamp: number
  readonly name?: string
}

/** A session that a client sends message by message, over as many sockets as it takes. */
export interface SentSession {
  readonly id: string
  readonly acknowledged: SessionItem[]
  connections: number
}

/**
 * Sends the messages of a session until each is acknowledged. The connection is cut at random: before a message, after
 * it was sent, or after its acknowledgement; unacknowledged messages are sent again over the next one.
 */
export async function sendSession(
  url: string,
  messages: readonly (readonly SessionItem[])[],
  random: () => number,
): Promise<SentSession> {
  const session: SentSession = { id: randomUUID(), acknowledged: [], connections: 0 }
  let socket: WebSocket | undefined
  for (const message of messages) {
    for (let attempt = 0; ; attempt++) {
      if (attempt === ATTEMPTS_MAX) throw new Error(`a message of session ${session.id} was never acknowledged`)
      if (random() < 0.05) socket?.terminate()
      if (socket?.readyState !== WebSocket.OPEN) socket = await connect(`${url}&sessionId=${session.id}`, session)
      if (socket && (await acknowledged(socket, message, random() < 0.1))) break
      await pause(RETRY_MS)
    }
    session.acknowledged.push(...message)
  }
  socket?.terminate()
  return session
}

async function connect(url: string, session: SentSession): Promise<WebSocket | undefined> {
  session.connections++
  const socket = new WebSocket(url)
  return new Promise((resolve) => {
    socket.once('open', () => resolve(socket))
    socket.once('error', () => resolve(undefined))
  })
}

/** Sends one message; false when the connection ended, or the server asked to try again, before it was acknowledged. */
function acknowledged(socket: WebSocket, message: readonly SessionItem[], cut: boolean): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const settle = (taken: boolean): void => {
      socket.off('message', onMessage).off('close', onClose)
      resolve(taken)
    }
    const onClose = (): void => settle(false)
    const onMessage = (data: RawData): void => {
      const answer = JSON.parse((data as Buffer).toString()) as {
        ack?: number
        rejected?: object
        error?: { code: string }
      }
      if (answer.ack !== undefined && answer.rejected === undefined) return settle(true)
      const code = answer.error?.code
      if (code === 'HOP_RATE' || code === 'HOP_LOG_UNAVAILABLE') return settle(false)
      reject(new Error(`unexpected answer ${JSON.stringify(answer)}`))
    }
    socket.on('message', onMessage).on('close', onClose).once('error', onClose)
    socket.send(JSON.stringify(message))
    if (cut) setImmediate(() => socket.terminate())
  })
}
