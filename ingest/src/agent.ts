import type { BotReason, BotRule, Context } from '@hopper/contracts'
import Bowser from 'bowser'
import { isbot } from 'isbot'
import { LRUCache } from 'lru-cache'
import { startOf } from './batch/text-start.ts'

/** Device, browser and system of a sender, from its user agent, and the verdict about whether it is a bot. */
export type Agent = Pick<Context, 'device' | 'browser' | 'os' | 'bot' | 'bot_sign'>

/** Origin of a request: together with the user agent, it decides whether the sender is a machine. */
export interface Origin {
  readonly userAgent: string | undefined
  /** true when the key is in a header and no page is behind the request: a server that sends on purpose */
  readonly server: boolean
  readonly webdriver: boolean
  /** the brands of the browser (`Sec-CH-UA`) */
  readonly brands?: string | undefined
  /** true when a page is behind the request, which states no language of its visitor */
  readonly noLanguage?: boolean
}

const USER_AGENTS_MAX = 5_000
const USER_AGENT_CHARS_MAX = 512
const server: Agent = { device: 'server', browser: 'unknown', os: 'unknown' }
const noUserAgent: Agent = { device: 'unknown', browser: 'unknown', os: 'unknown', bot: 'no_user_agent' }
/** Matches the names of browsers without a window. */
const headless = /headless/i
const agents = new LRUCache<string, Agent>({ max: USER_AGENTS_MAX })

/** Cuts off a user agent that is longer than any of a browser. */
export function cutUserAgent(userAgent: string): string {
  return startOf(userAgent, USER_AGENT_CHARS_MAX)
}

/** Determines device, browser and system of a sender, and why it is considered a machine, if it is. */
export function agentOf({ userAgent, server: fromServer, webdriver, brands, noLanguage }: Origin): Agent {
  const text = cutUserAgent(userAgent ?? '')
  const agent = fromServer ? agentOfServer(text) : text === '' ? noUserAgent : parsed(text)
  if (agent.bot !== undefined) return agent
  if (webdriver) return withBot(agent, 'webdriver')
  if (fromServer) return agent
  if (brands !== undefined && headless.test(brands)) return withBot(agent, 'headless')
  // Every browser sends a language; a proxy that drops the header leaves what the tracker states in the body.
  return noLanguage === true && agent.browser !== 'unknown' ? withBot(agent, 'no_language') : agent
}

/** Returns an agent with the verdict of a rule of the app; unchanged when no rule applies. */
export function withAction(agent: Agent, action: BotRule['action'] | undefined): Agent {
  if (action === undefined) return agent
  const { bot: _, ...rest } = agent
  return action === 'human' ? { ...rest, bot_sign: 'human' } : { ...rest, bot: 'app_rule' }
}

/**
 * Keys in headers are meant for servers, so the user agent is not checked for bots, whatever it claims. So a server may
 * forward the user agent of a visitor's browser.
 */
function agentOfServer(text: string): Agent {
  if (text === '') return server
  const agent = parsed(text)
  const isBrowser = agent.bot === undefined && agent.device !== 'unknown' && agent.browser !== 'unknown'
  return isBrowser ? agent : server
}

function parsed(userAgent: string): Agent {
  let agent = agents.get(userAgent)
  if (!agent) agents.set(userAgent, (agent = parse(userAgent)))
  return agent
}

function parse(userAgent: string): Agent {
  const { browser, os, platform } = Bowser.parse(userAgent)
  const agent: Agent = { device: deviceOf(platform.type), browser: browser.name || 'unknown', os: os.name || 'unknown' }
  if (headless.test(userAgent)) return withBot(agent, 'headless')
  return isbot(userAgent) ? withBot(agent, 'user_agent') : agent
}

function deviceOf(platform: string | undefined): Context['device'] {
  return platform === 'desktop' || platform === 'mobile' || platform === 'tablet' || platform === 'tv'
    ? platform
    : 'unknown'
}

function withBot(agent: Agent, bot: BotReason): Agent {
  return { ...agent, bot }
}
