import type { Filter, Stage } from '@hopper/contracts'

type Condition = Pick<Stage, 'url' | 'click'>

/**
 * Returns the conditions under which an event enters each stage, for a question about stages that are not saved. A
 * stage that is saved is asked for by its funnel. As `StageMatcher` says, an event that several stages match enters the
 * last of them.
 */
export function stageFilters(stages: readonly Condition[]): Filter[][] {
  const pages = stages.map(({ url }) => (url?.trim() ? pageFilter(url.trim()) : undefined))
  const clicks = stages.map(({ click }) => (click?.trim() ? clickFilter(click.trim()) : undefined))
  return stages.map((_, index) => {
    const ways = [entering('url_change', pages, index), entering('click', clicks, index)].filter(
      (way) => way !== undefined,
    )
    if (ways.length === 1) return ways[0]!
    return ways.length === 0 ? [never] : [{ type: 'or', filters: ways.map(all) }]
  })
}

/** A stage without a condition is entered by nothing. */
const never: Filter = { type: 'all', key: 'data.stage-without-condition' }

/** Returns the conditions of one kind of event: it matches the stage and none of the later ones. */
function entering(type: string, filters: readonly (Filter | undefined)[], index: number): Filter[] | undefined {
  const entered = filters[index]
  if (!entered) return undefined
  const later = filters.slice(index + 1).filter((filter) => filter !== undefined)
  return [
    { type: 'eq', key: 'type', value: type },
    entered,
    ...later.map((filter): Filter => ({ type: 'not', filter })),
  ]
}

/** A conjunction inside of an `or`, which the language has only as a list. */
function all(filters: readonly Filter[]): Filter {
  return { type: 'not', filter: { type: 'or', filters: filters.map((filter) => ({ type: 'not', filter })) } }
}

/**
 * A path pattern, compared with the page that was opened: host and path without a slash at the end. `*` matches any run
 * of characters.
 */
function pageFilter(pattern: string): Filter {
  const path = pattern.replace(/^https?:\/\/[^/]*/i, '')
  const host = /^https?:\/\/([^/]*)/i.exec(pattern)?.[1]?.toLowerCase()
  const start = host === undefined ? '[^/]*' : globOf(host)
  const end = path.replace(/\/+$/, '')
  // the first page of a site keeps its slash
  return { type: 'regex', key: 'page', value: end === '' ? `${start}/?` : `${start}${globOf(end)}` }
}

/** `#id`, `[attribute=value]` and `tag` are compared with the XPath of what was clicked, or of what is around it. */
function clickFilter(selector: string): Filter {
  if (/^[a-z][a-z0-9]*$/i.test(selector))
    return { type: 'regex', key: 'target', value: `.*/${selector.toLowerCase()}(\\[[0-9]+\\])?(/.*)?` }
  const [, id, attribute, value] =
    /^(?:[a-z][a-z0-9]*|\*)?(?:#([\w-]+)|\[([\w-]+)=["']?([^"'\]]+)["']?\])$/i.exec(selector) ?? []
  const [name, wanted] = id === undefined ? [attribute, value] : ['id', id]
  if (name === undefined || wanted === undefined) return { type: 'eq', key: 'target', value: selector }
  const test = escapeRegex(`[@${name}='${wanted}']`)
  return { type: 'regex', key: 'target', value: `//[^/]*${test}(/.*)?` }
}

function globOf(pattern: string): string {
  return pattern.split('*').map(escapeRegex).join('.*')
}

function escapeRegex(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
