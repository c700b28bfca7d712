import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { HopperError } from '@hopper/contracts'
import { expect, it } from 'vitest'
import { readConfig, unknownVariables, type Flags } from './config.ts'
import { settings, settingsOf, type SettingName } from './settings.ts'

const names = Object.keys(settings) as SettingName[]
const read = (flags: Flags, environment: NodeJS.ProcessEnv): ReturnType<typeof readConfig> =>
  readConfig(names, flags, environment)

it('has a default for every setting that needs one', () => {
  expect(read({}, {})).toMatchObject({
    port: 8080,
    host: '127.0.0.1',
    data: resolve('data'),
    provision: undefined,
    lanes: 8,
    publicUrl: undefined,
    trustedProxies: 0,
    connections: 10_000,
    geo: undefined,
    sourceShare: 50,
    rate: 20_000,
    eventRate: 10_000,
    byteRate: 5_000_000,
    demo: undefined,
    logLevel: 'info',
    unsafeNoWatermark: false,
    kafkaBrokers: undefined,
    kafkaTopic: 'hopper-events',
    cassandraKeyspace: 'hopper',
    leaseMs: 15_000,
    unknownOutcomeMs: 7_000,
  })
})

it('prefers a flag over a variable over a default', () => {
  const config = read(
    { port: '9001' },
    { HOPPER_PORT: '9002', HOPPER_LANES: '3', HOPPER_HOST: '', HOPPER_KAFKA_BROKERS: 'a:9092, [::1]:9093' },
  )
  expect(config).toMatchObject({ port: 9001, lanes: 3, host: '127.0.0.1', kafkaBrokers: ['a:9092', '[::1]:9093'] })
})

it('reports all bad settings together, each by the name it was given under', () => {
  const readBad = (): unknown =>
    read(
      { port: '70000' },
      {
        HOPPER_LANES: 'many',
        HOPPER_PUBLIC_URL: 'hopper.example/x',
        HOPPER_LOG_LEVEL: 'loud',
        HOPPER_DEMO: 'maybe',
        HOPPER_KAFKA_BROKERS: 'a',
      },
    )
  expect(readBad).toThrow(HopperError)
  try {
    readBad()
  } catch (error) {
    const { code, message, details } = error as HopperError
    expect(code).toBe('HOP_CONFIG')
    const names = [
      '--port',
      'HOPPER_LANES',
      'HOPPER_PUBLIC_URL',
      'HOPPER_LOG_LEVEL',
      'HOPPER_DEMO',
      'HOPPER_KAFKA_BROKERS',
    ]
    expect((details as { name: string }[]).map(({ name }) => name).sort()).toEqual([...names].sort())
    for (const name of names) expect(message).toContain(`${name} must be`)
  }
})

const nonsense = [
  '-1',
  '1e99',
  'NaN',
  'Infinity',
  '0x10',
  '1.5',
  ' ',
  '٣',
  '99999999999999999999',
  'null',
  '\0',
  '../..',
  '"; --',
  'ä b',
  'x'.repeat(300),
  ':',
  ',',
  'a:b',
  '-',
]
/** those of ASCII that a provider may have chosen */
const visible = nonsense.filter((text) => /^[!-~ ]{1,300}$/.test(text) && text.trim() !== '')
/** texts of the list above that are valid, if unusual, values of a setting */
const harmless: Partial<Record<SettingName, readonly string[]>> = {
  kafkaTopic: ['-1', '1e99', 'NaN', 'Infinity', '0x10', '1.5', '99999999999999999999', 'null', '-'],
  externalTopic: ['-1', '1e99', 'NaN', 'Infinity', '0x10', '1.5', '99999999999999999999', 'null', '-'],
  kafkaGroup: ['-1', '1e99', 'NaN', 'Infinity', '0x10', '1.5', '99999999999999999999', 'null', '-'],
  cassandraDc: ['-1', '1e99', 'NaN', 'Infinity', '0x10', '1.5', '99999999999999999999', 'null', '-'],
  cassandraKeyspace: ['null'],
  metricsToken: ['99999999999999999999'],
  oidcClientId: visible,
  oidcClientSecret: visible,
  oidcName: [...visible.filter((text) => text.length < 60), '٣', 'ä b'],
  host: ['-1', '1e99', 'NaN', 'Infinity', '0x10', '1.5', '99999999999999999999', 'null', ':', 'a:b', '-'],
}
const anything: readonly SettingName[] = [
  'data',
  'provision',
  'external',
  'geo',
  'cassandraCa',
  'kafkaUsername',
  'kafkaPassword',
  'cassandraUsername',
  'cassandraPassword',
]

it.each(names.filter((name) => !anything.includes(name)))(
  'refuses invalid values of %s, by flag and by variable',
  (name) => {
    const { flag, variable } = settings[name]
    for (const text of nonsense.filter((each) => !harmless[name]?.includes(each))) {
      expect(() => readConfig([name], { [name]: text }, {}), `${flag}=${text}`).toThrow(`${flag} must be`)
      expect(() => readConfig([name], {}, { [variable]: text }), `${variable}=${text}`).toThrow(`${variable} must be`)
    }
    expect(() => readConfig([name], { [name]: '' }, {})).toThrow(`${flag} must be`)
    expect(() => readConfig([name], {}, { [variable]: '' })).not.toThrow()
  },
)

it('refuses numbers just out of bounds, invalid ports, and more memory than the machine has', () => {
  const bad: [SettingName, string[]][] = [
    ['port', ['65536', '-0', '8080x']],
    ['lanes', ['0', '1025']],
    ['connections', ['31', '1000001']],
    ['kafkaBrokers', ['a:0', 'a:65536', 'a:99999', '[::1]', 'a:1,', 'a:1;b:2']],
    ['cassandraContactPoints', ['a:0', 'a:70000']],
    ['memoryMb', ['1', '255', '999999999']],
    ['kafkaTopic', ['.', '..', 'x'.repeat(250)]],
    ['cassandraKeyspace', ['Hopper', '1h', 'h-p', 'x'.repeat(49)]],
    ['leaseMs', ['999']],
    ['alertWebhooks', ['https://x,ftp://y', 'https://x/y', 'https://u:p@x', 'https://x,', '*', 'https://*']],
    ['smtpUrl', ['smtp://u@x', 'smtp://x/y', 'smtp://x?secure=false', 'http://x', 'smtp://u:%zz@x', 'smtp://:p@x']],
    [
      'oidcIssuer',
      [
        'http://login.example',
        'https://x/?a=b',
        'https://x/#a',
        'https://u@x/',
        'ftp://x',
        'http://127.evil.example',
        'http://[::ffff:8.8.8.8]/',
        'http://10.0.0.1',
      ],
    ],
    ['oidcOrigins', ['http://x', 'https://x/y', 'https://x,http://y', 'https://*']],
    ['oidcName', ['a\nb', 'x'.repeat(61), ' a', 'a\u202eb']],
    ['mailFrom', ['Ann <a@b>', 'a@b\r\nBcc: c@d', 'a', 'a@b,c@d']],
    ['publicUrl', ['https://x:99999', 'ftp://x', 'https://u:p@x', 'https://x/y', 'x.example']],
  ]
  for (const [name, texts] of bad)
    for (const text of texts)
      expect(() => readConfig([name], { [name]: text }, {}), `${name} ${text}`).toThrow('must be')
})

it('reports all conflicting values together with the reason, besides those that are bad by themselves', () => {
  const readBad = (environment: NodeJS.ProcessEnv): string => {
    try {
      read({}, environment)
      return ''
    } catch (error) {
      return (error as HopperError).message
    }
  }
  const message = readBad({
    HOPPER_PORT: 'x',
    HOPPER_CASSANDRA_CONSISTENCY: 'LOCAL_ONE',
    HOPPER_CASSANDRA_REPLICATION: '3',
    HOPPER_CASSANDRA_PASSWORD: 'secret',
    HOPPER_KAFKA_USERNAME: 'u',
    HOPPER_LEASE_MS: '1000',
  })
  for (const name of [
    'HOPPER_PORT must',
    '--cassandra-consistency cannot',
    '--cassandra-username must',
    '--kafka-sasl must',
    '--lease-ms must be at least 2000',
  ])
    expect(message).toContain(name)
  expect(message).not.toContain('secret')
  expect(readBad({ HOPPER_KAFKA_SASL: 'plain' })).toContain('--kafka-username and --kafka-password')
  expect(readBad({ HOPPER_LEASE_MS: '600000' })).toContain('--kafka-session-ms')
  expect(
    readBad({
      HOPPER_KAFKA_SASL: 'plain',
      HOPPER_KAFKA_USERNAME: 'u',
      HOPPER_KAFKA_PASSWORD: 'p',
      HOPPER_LEASE_MS: '2000',
      HOPPER_KAFKA_SESSION_MS: '2000',
    }),
  ).toBe('')
})

it('reads where alerts may be sent, and never shows the password of the mail server', () => {
  const config = readConfig(
    settingsOf.api,
    {},
    {
      HOPPER_ALERT_WEBHOOKS: 'https://Hooks.example/, http://10.0.0.1:8080',
      HOPPER_SMTP_URL: 'smtps://ann:se%2Fcret@mail.example:465',
      HOPPER_MAIL_FROM: 'hopper@shop.example',
    },
  )
  expect(config.alertWebhooks).toEqual(['https://hooks.example', 'http://10.0.0.1:8080'])
  expect(config).toMatchObject({ smtpUrl: 'smtps://ann:se%2Fcret@mail.example:465', alertPrivateAddresses: false })
  expect(() => read({}, { HOPPER_SMTP_URL: 'smtps://ann:secret@mail.example/path' })).toThrow(/^(?!.*secret)/)
  expect(() => read({}, { HOPPER_MAIL_FROM: 'a@b' })).toThrow('--smtp-url and --mail-from must be given together')
})

it('reads the OpenID provider, with its secret from a variable or a file, and never shows the secret', () => {
  const dir = mkdtempSync(join(tmpdir(), 'hopper-config-'))
  const file = join(dir, 'secret')
  writeFileSync(file, 'from a file\n')
  const base = { HOPPER_OIDC_ISSUER: 'https://login.example/realms/shop', HOPPER_OIDC_CLIENT_ID: 'hopper' }
  const withFile = { ...base, HOPPER_OIDC_CLIENT_SECRET_FILE: file }
  expect(readConfig(settingsOf.api, {}, { ...base, HOPPER_OIDC_CLIENT_SECRET: 'hidden' })).toMatchObject({
    oidcIssuer: 'https://login.example/realms/shop',
    oidcClientId: 'hopper',
    oidcClientSecret: 'hidden',
    oidcName: 'OpenID Connect',
  })
  expect(readConfig(settingsOf.start, {}, withFile)).toMatchObject({ oidcClientSecretFile: 'from a file' })
  for (const [text, isGood] of [
    ['', false],
    ['two\nlines', false],
    ['x'.repeat(1_001), false],
    ['s', true],
  ] as const) {
    writeFileSync(file, text)
    const readFile = (): unknown => readConfig(settingsOf.start, {}, withFile)
    if (isGood) expect(readFile).not.toThrow()
    else expect(readFile).toThrow('HOPPER_OIDC_CLIENT_SECRET_FILE must be the path of a readable file')
  }
  const incomplete = [base, { HOPPER_OIDC_CLIENT_SECRET: 'hidden' }, { HOPPER_OIDC_ORIGINS: 'https://x.example' }]
  for (const environment of incomplete)
    expect(() => read({}, environment)).toThrow('--oidc-issuer and --oidc-client-id must be given together')
  expect(() => read({}, { ...withFile, HOPPER_OIDC_CLIENT_SECRET: 'hidden' })).toThrow(
    '--oidc-client-secret-file cannot',
  )
  expect(() => read({ oidcClientSecret: ' hidden' }, base)).toThrow(/^(?!.*hidden)/)
  rmSync(dir, { recursive: true })
})

it('refuses the topic of the log as the topic that other systems write', () => {
  const both = { HOPPER_KAFKA_TOPIC: 'events', HOPPER_EXTERNAL_TOPIC: 'events' }
  for (const command of [settingsOf.ingest, settingsOf.migrate])
    expect(() => readConfig(command, {}, both)).toThrow('--external-topic cannot be the topic of the log')
  expect(() => readConfig(settingsOf.installation, {}, both)).not.toThrow()
})

it('detects a variable that looks like a setting but is not', () => {
  expect(unknownVariables({ HOPPER_PROVISON: 'x', HOPPER_PORT: '1', HOME: '/' })).toEqual(['HOPPER_PROVISON'])
})

it('is documented: docs/settings.md lists exactly these settings with their defaults', () => {
  const page = readFileSync(resolve(import.meta.dirname, '../../../docs/settings.md'), 'utf8')
  const rows = [...page.matchAll(/^\| `(--[a-z-]+)` \| `(HOPPER_[A-Z_]+)` \| (?:`([^`]*)`|none) \| (.+) \|$/gm)]
  expect(rows.map(([, flag, variable, value]) => ({ flag, variable, default: value }))).toEqual(
    Object.values(settings).map((setting) => ({
      flag: setting.flag,
      variable: setting.variable,
      default: 'default' in setting ? setting.default : undefined,
    })),
  )
})
