import { defined, idText, textOf } from './json-values.ts'

type Fields = Readonly<Record<string, unknown>>

/** Libraries on a device, where `distinct_id` is the device's until somebody is identified. Others are servers'. */
const onDevices: ReadonlySet<string> = new Set([
  'web',
  'js',
  'posthog-js-lite',
  'posthog-react-native',
  'posthog-ios',
  'posthog-android',
  'posthog-flutter',
])

/** Device and user of an event. */
export interface Person {
  readonly device_id?: string
  readonly user_id?: string
}

/**
 * Returns the user and device of an event of PostHog. `distinct_id` is a user for servers and after `identify`, else a
 * device. A user without a known device gets a derived one from the pipeline.
 */
export function personOf(distinctId: unknown, properties: Fields): Person {
  const distinct = idText(distinctId)
  const device = idText(properties['$device_id'])
  if (isIdentified(properties, device))
    return defined({ device_id: device, user_id: idText(properties['$user_id']) ?? distinct })
  return defined({ device_id: device ?? distinct })
}

function isIdentified(properties: Fields, device: string | undefined): boolean {
  if (properties['$is_identified'] === true || idText(properties['$user_id']) !== undefined) return true
  const isOfDevice = device !== undefined || properties['$is_identified'] === false
  if (isOfDevice || onDevices.has(textOf(properties['$lib']) ?? '')) return false
  // a server that knows nobody, and says so
  return properties['$process_person_profile'] !== false
}
