import { pathOf } from '../../connect/proposed-stages.ts'

/** Something that was seen and can be a stage. */
export interface Suggestion {
  readonly name: string
  readonly url?: string
  readonly click?: string
  /** views of the page, or clicks on the element */
  readonly count: number
}

interface Seen {
  readonly pages: readonly { readonly url: string; readonly views: number }[]
  readonly clicks: readonly { readonly target: string; readonly hits: number }[]
  readonly elements: readonly { readonly name: string; readonly xpath: string }[]
}

/** A folder with at least this many pages is suggested as a group. */
const GROUP_MIN = 3

/** Returns what was seen, the most used first; pages of one folder also as a group, like `/products/*`. */
export function suggestions({ pages, clicks, elements }: Seen): Suggestion[] {
  const byPath = new Map<string, number>()
  for (const { url, views } of pages) byPath.set(pathOf(url), (byPath.get(pathOf(url)) ?? 0) + views)
  const folders = new Map<string, { pages: number; views: number }>()
  for (const [path, views] of byPath) {
    const folder = path.slice(0, path.lastIndexOf('/'))
    if (folder === '') continue
    const counted = folders.get(folder) ?? { pages: 0, views: 0 }
    folders.set(folder, { pages: counted.pages + 1, views: counted.views + views })
  }
  const groups = [...folders]
    .filter(([, counted]) => counted.pages >= GROUP_MIN)
    .map(([folder, { views }]) => ({ name: `${folder}/*`, url: `${folder}/*`, count: views }))
  const names = new Map(elements.map(({ xpath, name }) => [xpath, name]))
  const hits = new Map<string, number>()
  for (const { target, hits: some } of clicks) hits.set(target, (hits.get(target) ?? 0) + some)
  const clicked = [...hits].flatMap(([target, count]) => {
    const click = selectorOf(target)
    return click === undefined ? [] : [{ name: names.get(target) ?? click, click, count }]
  })
  return [...[...byPath].map(([path, count]) => ({ name: path, url: path, count })), ...groups, ...clicked].sort(
    (a, b) => b.count - a.count,
  )
}

/** Returns the selector of an element that can be recognized: by id or by an attribute of its own. */
export function selectorOf(xpath: string): string | undefined {
  const [, attribute, value] = /^\/\/(?:\*|[\w-]+)\[@([\w-]+)=['"]([^'"]+)['"]\]$/.exec(xpath) ?? []
  if (attribute === undefined || value === undefined) return undefined
  return attribute === 'id' && /^[A-Za-z_][\w-]*$/.test(value) ? `#${value}` : `[${attribute}="${value}"]`
}

/** Returns an id for a name that no other funnel has: `Product to purchase` is product-to-purchase. */
export function idOf(name: string, taken: readonly string[]): string {
  const base =
    name
      .normalize('NFKD')
      .replace(/\p{M}/gu, '')
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, '')
      .slice(0, 56) || 'funnel'
  let id = base
  for (let n = 2; taken.includes(id); n++) id = `${base}-${n}`
  return id
}
