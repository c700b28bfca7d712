import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { expect, test, vi } from 'vitest'
import { limitConnections } from './connection-limit.ts'

test('connections beyond the open files are refused, and the log says so once', async () => {
  const lines: unknown[] = []
  const server = createServer((_request, response) => response.end('OK'))
  limitConnections(server, { warn: (...line: unknown[]) => void lines.push(line) }, 256 + 40)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const sockets = Array.from({ length: 60 }, () => connect(port, '127.0.0.1').on('error', () => undefined))
  try {
    await vi.waitFor(() => expect(sockets.filter(({ closed }) => closed)).toHaveLength(20), { timeout: 10_000 })
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatchObject([
      { refused: 1, connections: 40, openFiles: 296 },
      expect.stringContaining('LimitNOFILE'),
    ])
    for (const socket of sockets) socket.destroy()
    await vi.waitFor(async () => expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe('OK'))
  } finally {
    for (const socket of sockets) socket.destroy()
    server.closeAllConnections()
    server.close()
  }
})
