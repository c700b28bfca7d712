import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const repository = resolve(import.meta.dirname, '../..')
const workspaces = (JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { workspaces: string[] })
  .workspaces
const pages = ['*.md', 'docs/**/*.md', '*/README.md']
  .flatMap((pattern) => globSync(pattern, { cwd: repository }))
  .sort()
/** A record of a decision describes the past, so its paths may not exist any more. */
const current = pages.filter((page) => !page.startsWith('docs/decisions/0'))

const textOf = (page: string): string => readFileSync(join(repository, page), 'utf8')

/** Files that readers of the how-to pages create. */
const examples = /downloads-by-date/

/** Paths in code spans that begin with a workspace; patterns and placeholders are not paths. */
function pathsIn(text: string): string[] {
  const spans = text.matchAll(/`([\w.@-]+\/[^`\s]*)`/g)
  return [...spans]
    .map(([, path]) => path!.replace(/:\d.*$/, ''))
    .filter((path) => ['docs', ...workspaces].includes(path.split('/')[0]!) && /^[\w./-]+$/.test(path))
    .filter((path) => !/\bdist\b|[A-Z]{4,}/.test(path) && !examples.test(path))
}

/** Targets of links to other files, without their anchors. */
function linksIn(text: string): string[] {
  const links = text.matchAll(/\]\(([^)\s#]+)(?:#[^)\s]*)?\)/g)
  return [...links].map(([, target]) => target!).filter((target) => !/^[a-z]+:/.test(target))
}

/** Anchors of a page's headings, as GitHub makes them. */
function anchorsOf(page: string): ReadonlySet<string> {
  const headings = [...textOf(page).matchAll(/^#+ (.*)$/gm)].map(([, text]) => text!.toLowerCase())
  return new Set(headings.map((text) => text.replace(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(' ', '-')))
}

/** Links of a page to headings that no page has. */
function brokenAnchors(page: string): string[] {
  const links = [...textOf(page).matchAll(/\]\((?![a-z]+:)([^)\s#]*)#([^)\s]+)\)/g)]
  return links
    .filter(([, target, anchor]) => {
      const linked = target ? join(dirname(page), target) : page
      return linked.endsWith('.md') && existsSync(join(repository, linked)) && !anchorsOf(linked).has(anchor!)
    })
    .map(([link]) => link)
}

describe('documents', () => {
  it('are found, with paths and links in them', () => {
    expect(current.length).toBeGreaterThan(15)
    expect(current.flatMap((page) => pathsIn(textOf(page))).length).toBeGreaterThan(100)
    expect(pages.flatMap((page) => linksIn(textOf(page))).length).toBeGreaterThan(50)
  })

  it.each(current)('%s names only files that exist', (page) => {
    expect(pathsIn(textOf(page)).filter((path) => !existsSync(join(repository, path)))).toEqual([])
  })

  it.each(pages)('%s links only to files that exist', (page) => {
    const missing = linksIn(textOf(page)).filter((to) => !existsSync(join(repository, dirname(page), to)))
    expect(missing).toEqual([])
  })

  it.each(current)('%s links only to headings that exist', (page) => {
    expect(brokenAnchors(page)).toEqual([])
  })
})
