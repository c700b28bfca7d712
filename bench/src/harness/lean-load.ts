import { connect } from 'node:net'

export interface LeanLoad {
  readonly port: number
  /** the path of `POST` */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly bodies: readonly string[]
  readonly connections: number
  readonly seconds: number
}

/**
 * Returns the requests per second that were answered 202, with one request in flight per connection. It writes prepared
 * requests and reads only the status of an answer, to use as little of the machine as a load generator can: the server
 * gets the rest.
 * @throws Error for any other answer, and for one that arrives in several pieces
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
