/** User agents that real browsers send, with their frequency. */
const chrome = (system: string, version: number, more = ''): string =>
  `Mozilla/5.0 (${system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version}.0.0.0${more}`
const safari = (system: string, version: string, more: string): string =>
  `Mozilla/5.0 (${system}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/${version} ${more}`

const windows = 'Windows NT 10.0; Win64; x64'
const mac = 'Macintosh; Intel Mac OS X 10_15_7'
const iphone = 'iPhone; CPU iPhone OS 18_6 like Mac OS X'
const android = 'Linux; Android 10; K'

export type DeviceKind = 'desktop' | 'mobile' | 'tablet'
export interface Agent {
  readonly kind: DeviceKind
  readonly userAgent: string
}

const desktop = (userAgent: string): Agent => ({ kind: 'desktop', userAgent })
const mobile = (userAgent: string): Agent => ({ kind: 'mobile', userAgent })
const tablet = (userAgent: string): Agent => ({ kind: 'tablet', userAgent })

export const agents: readonly (readonly [agent: Agent, weight: number])[] = [
  [desktop(chrome(windows, 141, ' Safari/537.36')), 20],
  [desktop(chrome(windows, 139, ' Safari/537.36')), 4],
  [desktop(chrome(windows, 141, ' Safari/537.36 Edg/141.0.0.0')), 7],
  [desktop(chrome(windows, 140, ' Safari/537.36 OPR/124.0.0.0')), 1.5],
  [desktop(`Mozilla/5.0 (${windows}; rv:144.0) Gecko/20100101 Firefox/144.0`), 4],
  [desktop(safari(mac, '18.6', 'Safari/605.1.15')), 7],
  [desktop(chrome(mac, 141, ' Safari/537.36')), 6],
  [desktop('Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:144.0) Gecko/20100101 Firefox/144.0'), 1],
  [desktop(chrome('X11; Linux x86_64', 141, ' Safari/537.36')), 2],
  [desktop('Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0'), 1.5],
  [desktop(chrome('X11; CrOS x86_64 14541.0.0', 141, ' Safari/537.36')), 0.7],
  [mobile(safari(iphone, '18.6', 'Mobile/15E148 Safari/604.1')), 17],
  [
    mobile(
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) ' +
        'CriOS/141.0.7390.41 Mobile/15E148 Safari/604.1',
    ),
    2.5,
  ],
  [mobile(chrome(android, 141, ' Mobile Safari/537.36')), 19],
  [
    mobile(
      'Mozilla/5.0 (Linux; Android 13; SAMSUNG SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) ' +
        'SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36',
    ),
    4,
  ],
  [mobile('Mozilla/5.0 (Android 15; Mobile; rv:144.0) Gecko/144.0 Firefox/144.0'), 1],
  [tablet(safari('iPad; CPU OS 17_7 like Mac OS X', '17.7', 'Mobile/15E148 Safari/604.1')), 3],
  [tablet(chrome('Linux; Android 13; SM-X700', 141, ' Safari/537.36')), 1.2],
]

/** User agents of bots that fetch pages. Ingest recognizes them. */
export const botAgents: readonly string[] = [
  'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
  'Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)',
  'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)',
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/141.0.0.0 Safari/537.36',
]
