import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { allowedUrl, isPublicAddress } from './webhook-address.ts'
import { sendWebhook, webhookHeaders, webhookSecretText, type Outcome } from './webhook.ts'

const secret = Buffer.from('0123456789abcdef0123456789abcdef')
const message = { id: 'a-1', body: '{"type":"alert.test","text":"Zürich"}', at: 1_767_225_600_999 }

interface Received {
  readonly headers: IncomingMessage['headers']
  readonly body: string
  readonly path: string
}

let server: Server
let origin: string
let received: Received[]
let answer: (response: ServerResponse) => void

beforeEach(async () => {
  received = []
  answer = (response) => response.writeHead(204).end()
  server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      received.push({ headers: request.headers, body: Buffer.concat(parts).toString(), path: request.url! })
      answer(response)
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

const send = (url: string, arePrivateAddressesAllowed = true, signal?: AbortSignal): Promise<Outcome> =>
  sendWebhook(url, message, secret, { webhookOrigins: [new URL(url).origin], arePrivateAddressesAllowed }, signal)

describe('a webhook', () => {
  it('arrives with a signature that a receiver verifies from id, seconds and body', async () => {
    expect(await send(`${origin}/hook?team=a#part`)).toEqual({ isDelivered: true, status: 204 })
    const [{ headers, body, path }] = received as [Received]
    expect([path, body]).toEqual(['/hook?team=a', message.body])
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'webhook-id': 'a-1',
      'webhook-timestamp': '1767225600',
    })
    expect(headers).not.toHaveProperty('cookie')
    const key = Buffer.from(webhookSecretText(secret).replace(/^whsec_/, ''), 'base64')
    const signed = `${headers['webhook-id'] as string}.${headers['webhook-timestamp'] as string}.${body}`
    expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`)
  })

  it('has the signature of the example of Standard Webhooks', () => {
    const key = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64')
    const example = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', body: '{"test": 2432232314}', at: 1_614_265_330_000 }
    expect(webhookHeaders(example, key)['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
  })

  it('follows no redirect, and gives up on it', async () => {
    answer = (response) => response.writeHead(307, { location: `${origin}/elsewhere` }).end()
    expect(await send(`${origin}/hook`)).toEqual({
      isDelivered: false,
      fault: 'redirect',
      status: 307,
      isFinal: true,
    })
    expect(received.map(({ path }) => path)).toEqual(['/hook'])
  })

  it('is tried again after other failures, but not when the receiver answers 410', async () => {
    answer = (response) => response.writeHead(500).end()
    expect(await send(origin)).toEqual({ isDelivered: false, fault: 'status', status: 500 })
    answer = (response) => response.writeHead(410).end()
    expect(await send(origin)).toMatchObject({ fault: 'gone', isFinal: true })
    answer = (response) => response.destroy()
    expect(await send(origin)).toEqual({ isDelivered: false, fault: 'connection' })
    expect(await send('http://nowhere.invalid')).toEqual({ isDelivered: false, fault: 'unknown_host' })
  })

  it('ends with an answer that is no HTTP, or switches to another protocol', async () => {
    for (const text of [
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
      'HTTP/1.1 103 Early Hints\r\n\r\n',
      'SSH-2.0-OpenSSH_9.9\r\n',
      `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`,
    ]) {
      answer = (response) => void response.socket!.end(text)
      expect([text.slice(0, 12), await send(origin, true, AbortSignal.timeout(5_000))]).toEqual([
        text.slice(0, 12),
        { isDelivered: false, fault: 'connection' },
      ])
    }
  })

  it('waits for no receiver longer than its limit, and reads no answer of endless length', async () => {
    answer = () => undefined
    expect(await send(origin, true, AbortSignal.timeout(200))).toEqual({ isDelivered: false, fault: 'timeout' })
    answer = (response) => {
      response.writeHead(200)
      const more = (): void => void (response.write('x'.repeat(65_536)) && setImmediate(more))
      response.on('drain', more)
      more()
    }
    expect(await send(origin)).toEqual({ isDelivered: true, status: 200 })
  })
})

describe('an address', () => {
  it('that is private is refused by its number and by its name, before anything is sent', async () => {
    const { port } = new URL(origin)
    for (const host of ['127.0.0.1', 'localhost', '2130706433', '0x7f.1', '[::1]', '[::ffff:127.0.0.1]', '0.0.0.0'])
      expect([host, await send(`http://${host}:${port}/`, false)]).toEqual([
        host,
        { isDelivered: false, fault: 'private_address', isFinal: true },
      ])
    expect(received).toEqual([])
  })

  it('control: the same server is reached when private addresses are allowed', async () => {
    const { port } = new URL(origin)
    expect(await send(`http://localhost:${port}/`)).toMatchObject({ isDelivered: true })
  })

  it('is public or not, as the registries of special addresses say', () => {
    const special =
      '0.1.2.3 10.255.0.1 100.64.0.1 127.8.8.8 169.254.169.254 172.31.0.1 192.0.0.8 192.168.1.1 198.19.0.1 ' +
      '203.0.113.9 224.0.0.1 255.255.255.255 :: ::1 ::ffff:8.8.8.8 64:ff9b::808:808 fc00::1 fd12::1 fe80::1 ff02::1 ' +
      '2001::1 2001:db8::1 2002:7f00:1::1 3fff::1 nonsense'
    const open = '1.1.1.1 8.8.8.8 100.128.0.1 172.32.0.1 192.169.0.1 2606:4700:4700::1111 2a00:1450::1'
    expect(special.split(' ').filter(isPublicAddress)).toEqual([])
    expect(open.split(' ').filter((address) => !isPublicAddress(address))).toEqual([])
  })

  it('is allowed by its whole origin only', () => {
    const origins = ['https://hooks.example']
    expect(allowedUrl('https://HOOKS.example:443/a?b#c', origins)?.href).toBe('https://hooks.example/a?b')
    for (const url of [
      'http://hooks.example/',
      'https://hooks.example:8443/',
      'https://hooks.example.evil/',
      'https://evil/https://hooks.example',
      'https://hooks.example@evil/',
      'https://u:p@hooks.example/',
      'ftp://hooks.example/',
      'hooks.example',
      '',
    ])
      expect([url, allowedUrl(url, origins)]).toEqual([url, undefined])
  })
})
