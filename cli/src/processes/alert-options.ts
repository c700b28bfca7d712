import type { ApiOptions } from '@hopper/api'
import type { Config } from '../config/config.ts'

const CHECK_INTERVAL_MS = 60_000

type AlertSettings = Config<'alertWebhooks' | 'alertPrivateAddresses' | 'smtpUrl' | 'mailFrom'>

/** Options of the alerts of a process, which checks all of them once a minute. */
export function alertOptions(config: AlertSettings): Required<Pick<ApiOptions, 'alerts'>> {
  const { alertWebhooks = [], alertPrivateAddresses, smtpUrl, mailFrom } = config
  return {
    alerts: {
      webhookOrigins: alertWebhooks,
      arePrivateAddressesAllowed: alertPrivateAddresses,
      ...(smtpUrl !== undefined && mailFrom !== undefined ? { mail: { url: smtpUrl, from: mailFrom } } : {}),
      checkEveryMs: CHECK_INTERVAL_MS,
    },
  }
}
