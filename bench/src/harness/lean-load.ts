import { connect } from 'node:net'

export interface LeanLoad {
  readonly port: number
  /** of `POST` */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly bodies: readonly string[]
  readonly connections: number
  readonly seconds: number
}

/**
 * Requests per second that were answered 202, one under way on each connection. It writes requests that were made
 * before and looks at no more of an answer than its status, so that it takes as little of the machine as a load
 * generator can: what it takes is not there for the server.
 * @throws Error for any other answer, and for one that comes in pieces
 */
export async function leanLoad({ port, path, headers, bodies, connections, seconds }: LeanLoad): Promise<number> {
  const head = Object.entries({ host: `127.0.0.1:${port}`, ...headers })
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')
  const requests = bodies.map((body) =>
    Buffer.from(`POST ${path} HTTP/1.1\r\n${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`),
  )
  let next = 0
  let answered = 0
  const started = performance.now()
  const endMs = started + seconds * 1_000
  const drive = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () =>
        socket.write(requests[next++ % requests.length]!),
      )
      socket.once('error', reject)
      socket.once('close', () => reject(new Error('the server has closed the connection')))
      socket.on('data', (answer: Buffer) => {
        if (answer.toString('latin1', 9, 12) !== '202')
          return socket.destroy(new Error(`answered ${answer.toString('utf8', 0, 300)}`))
        answered++
        if (performance.now() < endMs) return socket.write(requests[next++ % requests.length]!)
        resolve()
        socket.destroy()
      })
    })
  await Promise.all(Array.from({ length: connections }, drive))
  return (answered * 1_000) / (performance.now() - started)
}
