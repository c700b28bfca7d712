import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, Page } from 'playwright-core'
import { launchBrowser } from '../traffic/launch-browser.ts'

/** Without it pages can detect that a program drives the browser, and some clients then send nothing. */
const AUTOMATION_HIDDEN = '--disable-blink-features=AutomationControlled'

/** Site of another origin than ingest, whose every page has a client's script, visited with a real browser. */
export interface VisitedSite extends AsyncDisposable {
  readonly url: string
  /** opens a page as a new visitor, who came from a search engine */
  visit(path: string): Promise<Page>
  /** requests of pages to other hosts than those of the test */
  readonly elsewhere: readonly string[]
}

export function openBrowser(): Promise<Browser> {
  return launchBrowser(AUTOMATION_HIDDEN)
}

/** `script` is the file of the client; `include` is what a page has in its head to run it. */
export async function openSite(
  browser: Browser,
  script: string,
  include: string,
  receiverUrl: string,
): Promise<VisitedSite> {
  const source = await readFile(script)
  const html = `<!doctype html><meta charset="utf-8"><title>Shop</title><link rel="icon" href="data:,">${include}`
  const server = createServer(({ url }, response) => {
    const isScript = url === '/client.js'
    response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' })
    response.end(isScript ? source : html)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const elsewhere: string[] = []
  return {
    url,
    elsewhere,
    visit: (path) => visit(browser, url + path, [url, receiverUrl], elsewhere),
    async [Symbol.asyncDispose]() {
      await Promise.all(browser.contexts().map((context) => context.close()))
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}

async function visit(browser: Browser, url: string, own: readonly string[], elsewhere: string[]): Promise<Page> {
  const context = await browser.newContext()
  context.on('request', (request) => {
    const to = request.url()
    if (/^https?:/.test(to) && !own.some((origin) => to.startsWith(`${origin}/`))) elsewhere.push(to)
  })
  const page = await context.newPage()
  await page.goto(url, { referer: 'https://search.example/' })
  return page
}
