import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { expect, it, vi } from 'vitest'
import { addressesOf, FrozenNodes, whenNodesAnswer } from './frozen-nodes.ts'

async function startServer(onRequest: (socket: Socket) => void): Promise<{ server: Server; address: string }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', () => onRequest(socket))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { server, address: `127.0.0.1:${(server.address() as AddressInfo).port}` }
}

it('waits for no node that answers, closes the connection, or has no process', async () => {
  const answering = await startServer((socket) => socket.write('x'))
  const closing = await startServer((socket) => socket.destroy())
  const gone = await startServer(() => undefined)
  gone.server.close()
  await once(gone.server, 'close')
  const waited: string[] = []
  await whenNodesAnswer([answering.address, closing.address, gone.address], (address) => waited.push(address))
  expect(waited).toEqual([])
  for (const { server } of [answering, closing]) server.close()
})

it('waits for a node that takes connections and answers nothing, until it answers', async () => {
  let isFrozen = true
  const frozen = await startServer((socket) => void (isFrozen || socket.write('x')))
  const waited: string[] = []
  await whenNodesAnswer([frozen.address], (address) => {
    waited.push(address)
    isFrozen = waited.length < 2
  })
  expect(waited).toEqual([frozen.address, frozen.address])
  frozen.server.close()
})

it('reports once which node is waited for and since when, for any number of lanes, and when it ends', async () => {
  let isFrozen = true
  const frozen = await startServer((socket) => void (isFrozen || socket.write('x')))
  const answering = await startServer((socket) => socket.write('x'))
  const said: object[] = []
  const nodes = new FrozenNodes(() => [frozen.address, answering.address], {
    warn: (details) => void said.push({ level: 'warn', ...details }),
    info: (details) => void said.push({ level: 'info', ...details }),
  })
  expect(nodes.detail).toBeUndefined()
  const startedAt = new Date().toISOString()
  const waits = [nodes.whenAnswered(), nodes.whenAnswered()]
  await vi.waitFor(() => expect(nodes.detail).toBeDefined(), 10_000)
  const [, address, since] = /nodes that do not answer: (\S+) since (\S+);/.exec(nodes.detail!)!
  expect(address).toBe(frozen.address)
  expect(since! >= startedAt && since! <= new Date().toISOString()).toBe(true)
  isFrozen = false
  await Promise.all(waits)
  expect(nodes.detail).toBeUndefined()
  expect(said).toEqual([
    { level: 'warn', node: frozen.address },
    { level: 'info', node: frozen.address, waitedMs: expect.any(Number) as number },
  ])
  for (const { server } of [frozen, answering]) server.close()
})

it('asks the nodes of its own data center, and those of which the data center is not known yet', () => {
  const hosts = [
    { address: '10.0.0.1:9042', datacenter: 'own' },
    { address: '10.1.0.1:9042', datacenter: 'other' },
    { address: '10.0.0.2:9042', datacenter: null },
  ]
  const client = { hosts: { values: () => hosts } } as unknown as Parameters<typeof addressesOf>[0]
  expect(addressesOf(client, { dataCenter: 'own' })).toEqual(['10.0.0.1:9042', '10.0.0.2:9042'])
})
