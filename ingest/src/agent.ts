import type { BotReason, Context } from '@hopper/contracts'
import Bowser from 'bowser'
import { isbot } from 'isbot'
import { LRUCache } from 'lru-cache'

/** What a user agent says about the sender. */
export type Agent = Pick<Context, 'device' | 'browser' | 'os' | 'bot'>

/** How a request came: what decides, beside its user agent, whether a machine is behind it. */
export interface Origin {
  readonly userAgent: string | undefined
  /** the key stood in a header and no page is behind the request: a server that sends on purpose */
  readonly server: boolean
  readonly webdriver: boolean
}

const USER_AGENTS_MAX = 5_000
const USER_AGENT_CHARS_MAX = 512
// What servers send by; with a key in a header it is the use that the key is for, not a crawler.
const clientLibrary = /^(curl|wget|node|undici|axios|got|python|aiohttp|httpx|okhttp|java|apache-httpclient|go-http-client|ruby|faraday|php|guzzle|perl|libwww|dart|rust|reqwest|postman|insomnia|httpie|\.net|k6)/i
const server: Agent = { device: 'server', browser: 'unknown', os: 'unknown' }
const agents = new LRUCache<string, Agent>({ max: USER_AGENTS_MAX })

/** Device, browser and system of a sender, and whether it is held to be a machine, and why. */
export function agentOf({ userAgent, server: fromServer, webdriver }: Origin): Agent {
  const text = userAgent?.slice(0, USER_AGENT_CHARS_MAX) ?? ''
  if (fromServer && (text === '' || clientLibrary.test(text))) return server
  const agent = text === '' ? withBot({ device: 'unknown', browser: 'unknown', os: 'unknown' }, 'no_user_agent') : parsed(text)
  return webdriver && agent.bot === undefined ? withBot(agent, 'webdriver') : agent
}

function parsed(userAgent: string): Agent {
  let agent = agents.get(userAgent)
  if (!agent) agents.set(userAgent, (agent = parse(userAgent)))
  return agent
}

function parse(userAgent: string): Agent {
  const { browser, os, platform } = Bowser.parse(userAgent)
  const agent: Agent = { device: deviceOf(platform.type), browser: browser.name || 'unknown', os: os.name || 'unknown' }
  return isbot(userAgent) ? withBot(agent, 'user_agent') : agent
}

function deviceOf(platform: string | undefined): Context['device'] {
  return platform === 'desktop' || platform === 'mobile' || platform === 'tablet' || platform === 'tv' ? platform : 'unknown'
}

function withBot(agent: Agent, bot: BotReason): Agent {
  return { ...agent, bot }
}
