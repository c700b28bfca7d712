import { isIP } from 'node:net'
import type { Transporter } from 'nodemailer'
import type { MailOptions } from '../options.ts'
import type { Outcome } from './webhook.ts'

const MAIL_MS_MAX = 20_000
const SUBJECT_CHARS_MAX = 200

export interface Mail {
  /** the same for every attempt */
  readonly id: string
  readonly to: readonly string[]
  readonly subject: string
  readonly text: string
}

/** Sends e-mails through the SMTP server of the settings. */
export class Mailer {
  readonly #options: MailOptions
  readonly #limitMs: number
  #transport: Promise<Transporter> | undefined

  constructor(options: MailOptions, limitMs = MAIL_MS_MAX) {
    this.#options = options
    this.#limitMs = limitMs
  }

  /** Makes one attempt, which ends with the signal or at its time limit. */
  async send({ id, to, subject, text }: Mail, signal?: AbortSignal): Promise<Outcome> {
    const { from } = this.#options
    try {
      const transport = await (this.#transport ??= connect(this.#options, this.#limitMs))
      const { rejected } = (await transport.sendMail({
        from,
        to: [...to],
        subject: oneLine(subject),
        text,
        html: htmlOf(text),
        messageId: `<${id}@${from.split('@').at(-1)}>`,
        headers: { 'Auto-Submitted': 'auto-generated' },
        disableFileAccess: true,
        disableUrlAccess: true,
        signal: AbortSignal.any([AbortSignal.timeout(this.#limitMs), ...(signal ? [signal] : [])]),
      })) as { rejected: readonly unknown[] }
      return { isDelivered: true, ...(rejected.length > 0 ? { fault: 'mail_refused' as const } : {}) }
    } catch (error) {
      return faultOf(error as Error & { code?: string; responseCode?: number })
    }
  }

  close(): void {
    // one that could not be made has failed its mail
    this.#transport?.then((transport) => transport.close()).catch(() => undefined)
  }
}

/** Prepares connections to the server of the settings; the library is loaded with the first mail. */
async function connect({ url }: MailOptions, limitMs: number): Promise<Transporter> {
  const { createTransport } = await import('nodemailer')
  const { hostname, port, protocol, username, password } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  const secure = protocol === 'smtps:'
  return createTransport({
    host,
    ...(port === '' ? {} : { port: Number(port) }),
    secure,
    // a password never crosses a network in clear text
    requireTLS: !secure && username !== '' && !isThisMachine(host),
    ...(username === '' ? {} : { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
    connectionTimeout: limitMs,
    greetingTimeout: limitMs,
    socketTimeout: limitMs,
    dnsTimeout: limitMs,
  })
}

function faultOf({ code, responseCode: status }: { code?: string; responseCode?: number }): Outcome {
  if (status !== undefined) return { isDelivered: false, fault: 'mail_refused', status, isFinal: status >= 500 }
  if (code === 'ETIMEDOUT' || code === 'EABORT') return { isDelivered: false, fault: 'timeout' }
  if (code === 'EDNS') return { isDelivered: false, fault: 'unknown_host' }
  return { isDelivered: false, fault: 'connection' }
}

function isThisMachine(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/** Replaces line breaks and other control characters, which a name may contain. */
function oneLine(text: string): string {
  return text
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, ' ')
    .slice(0, SUBJECT_CHARS_MAX)
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Writes a text as HTML: paragraphs of lines, in which everything is escaped. */
export function htmlOf(text: string): string {
  const escaped = text.replace(/[&<>"']/g, (character) => entities[character]!)
  const paragraphs = escaped.split('\n\n').map((each) => `<p>${each.replaceAll('\n', '<br>')}</p>`)
  return `<!doctype html><html lang="en"><body>${paragraphs.join('')}</body></html>`
}
