import type { AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { afterEach, expect, it } from 'vitest'
import { Mailer, htmlOf } from './mail.ts'

interface Arrived {
  readonly from: string
  readonly to: readonly string[]
  readonly text: string
}

let server: SMTPServer | undefined
let mailer: Mailer | undefined
afterEach(async () => {
  mailer?.close()
  await new Promise<void>((resolve) => (server ? server.close(resolve) : resolve()))
})

async function open(options: SMTPServerOptions = {}, user = ''): Promise<{ mailer: Mailer; arrived: Arrived[] }> {
  const arrived: Arrived[] = []
  server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, { envelope }, callback) {
      const parts: Buffer[] = []
      stream.on('data', (part: Buffer) => parts.push(part))
      stream.on('end', () => {
        arrived.push({
          from: envelope.mailFrom ? envelope.mailFrom.address : '',
          to: envelope.rcptTo.map(({ address }) => address),
          text: Buffer.concat(parts).toString(),
        })
        callback()
      })
    },
    ...options,
  })
  server.on('error', () => undefined)
  await new Promise<void>((resolve) => void server!.listen(0, '127.0.0.1', resolve))
  const { port } = server.server.address() as AddressInfo
  mailer = new Mailer({ url: `smtp://${user}127.0.0.1:${port}`, from: 'hopper@shop.example' }, 5_000)
  return { mailer, arrived }
}

const mail = { id: 'a-1', to: ['ann@x.example', 'bob@x.example'], subject: 'Rate fell', text: 'One\nTwo\n\nThree' }

it('an e-mail arrives as text and as HTML, with an id that is the same for each attempt', async () => {
  const { mailer, arrived } = await open()
  expect(await mailer.send(mail)).toEqual({ isDelivered: true })
  expect(await mailer.send(mail)).toEqual({ isDelivered: true })
  expect(arrived).toHaveLength(2)
  for (const { from, to, text } of arrived) {
    expect([from, to]).toEqual(['hopper@shop.example', mail.to])
    expect(text).toMatch(/^Message-ID: <a-1@shop\.example>\r$/m)
    expect(text).toMatch(/^Subject: Rate fell\r$/m)
    expect(text).toMatch(/^Auto-Submitted: auto-generated\r$/m)
    expect(text).toContain('One\r\nTwo\r\n\r\nThree')
    expect(text).toContain('<p>One<br>Two</p><p>Three</p>')
  }
})

it('names from events can neither add a header nor markup', async () => {
  const { mailer, arrived } = await open()
  const hostile = 'x\r\nBcc: eve@evil.example\r\n\r\n<script>alert(1)</script>'
  expect(await mailer.send({ ...mail, subject: hostile, text: hostile })).toEqual({ isDelivered: true })
  const [{ to, text }] = arrived as [Arrived]
  expect(to).toEqual(mail.to)
  expect(text.slice(0, text.indexOf('\r\n\r\n'))).not.toMatch(/^Bcc/im)
  expect(htmlOf(hostile)).not.toContain('<script')
  expect(htmlOf(`<a href="x" b='y'>&`)).toContain('&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;')
})

it('distinguishes a receiver refused forever, one refused for now, and a server that is unreachable', async () => {
  const refusing = (code: number): SMTPServerOptions => ({
    onRcptTo: (_, __, callback) => callback(Object.assign(new Error('no'), { responseCode: code })),
  })
  const first = await open(refusing(550))
  expect(await first.mailer.send(mail)).toEqual({
    isDelivered: false,
    fault: 'mail_refused',
    status: 550,
    isFinal: true,
  })
  first.mailer.close()
  await new Promise<void>((resolve) => server!.close(resolve))
  const second = await open(refusing(451))
  expect(await second.mailer.send(mail)).toEqual({
    isDelivered: false,
    fault: 'mail_refused',
    status: 451,
    isFinal: false,
  })
  second.mailer.close()
  await new Promise<void>((resolve) => server!.close(resolve))
  server = undefined
  expect(await second.mailer.send(mail)).toMatchObject({ isDelivered: false, fault: 'connection' })
})

it('logs in with the user and the password of the address, percent-decoded', async () => {
  const seen: unknown[] = []
  const { mailer } = await open(
    {
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: ({ username, password }, _, callback) => {
        seen.push(username, password)
        callback(null, { user: username })
      },
    },
    'ann:p%2Fw%40d@',
  )
  expect(await mailer.send(mail)).toEqual({ isDelivered: true })
  expect(seen).toEqual(['ann', 'p/w@d'])
})
