import { useDeferredValue, useState, type ReactNode } from 'react'
import { useNavigate } from '@tanstack/react-router'
import { Command } from 'cmdk'
import type { Element, ListedFunnel } from '@hopper/contracts'
import { appPath, reportPath } from '../../api/paths.ts'
import { useReport } from '../../api/use-report.ts'
import { shownId } from '../../format/persons.ts'
import { pathOf } from '../../parts/app-link.tsx'
import { ModalDialog } from '../../parts/modal-dialog.tsx'
import { presets } from '../../state/date-range.ts'
import { readScope, type AppView } from '../../state/scope.tsx'
import { sharedSearch, withSearch, type Search } from '../../state/search.ts'
import { useSearchState, type SearchChange } from '../../state/use-search.ts'
import { useToday } from '../../state/use-today.ts'
import { navigation } from '../navigation.ts'
import { presetKeys } from '../range-keys.ts'
import { paletteWords } from './palette-words.ts'

/** Shortest text by which people are searched, and how many of them are shown. */
const SEARCH_CHARS_MIN = 2
const PEOPLE_SHOWN = 5

interface Props {
  apps: readonly AppView[]
  app: AppView
  onClose: () => void
  showKeys: () => void
}

interface Choice {
  /** unique among all choices */
  readonly id: string
  readonly name: string
  /** words that find it in addition to its name */
  readonly keywords?: readonly string[]
  /** the key that does the same */
  readonly hint?: string
  readonly run: () => void
}

/** A search through everything that one can go to or do: pages, funnels, elements, people, ranges and apps. */
export default function Palette({ apps, app, onClose, showKeys }: Props): ReactNode {
  const [typed, setTyped] = useState('')
  const groups = useChoices({ apps, app, showKeys })
  const people = usePeopleChoices(app, useDeferredValue(typed.trim()))
  const close = (run: () => void): void => {
    onClose()
    run()
  }
  return (
    <ModalDialog label={paletteWords.title} className="palette" onClose={onClose}>
      <Command label={paletteWords.title} loop>
        <Command.Input
          autoFocus
          value={typed}
          onValueChange={setTyped}
          placeholder={paletteWords.placeholder}
          aria-label={paletteWords.title}
        />
        <Command.List label={paletteWords.title}>
          <Command.Empty>{paletteWords.nothing}</Command.Empty>
          {groups.map(({ name, choices }) => (
            <Group key={name} name={name} choices={choices} choose={close} />
          ))}
          <Group name={paletteWords.people} choices={people} choose={close} isFound />
        </Command.List>
      </Command>
    </ModalDialog>
  )
}

interface GroupProps {
  name: string
  choices: readonly Choice[]
  choose: (run: () => void) => void
  /** true if the server has found the choices: they need not match by name */
  isFound?: boolean
}

function Group({ name, choices, choose, isFound = false }: GroupProps): ReactNode {
  if (choices.length === 0) return null
  return (
    <Command.Group heading={name} forceMount={isFound}>
      {choices.map(({ id, name: text, keywords = [], hint, run }) => (
        <Command.Item
          key={id}
          value={`${name} ${text} ${id}`}
          keywords={[...keywords]}
          forceMount={isFound}
          onSelect={() => choose(run)}
        >
          <bdi className="cut">{text}</bdi>
          {hint !== undefined && <kbd>{hint}</kbd>}
        </Command.Item>
      ))}
    </Command.Group>
  )
}

/** Returns a function that opens a page of the app and keeps the question. */
function useGo(app: AppView): (to: string, more?: SearchChange) => void {
  const navigate = useNavigate()
  return (to, more = {}) =>
    void navigate({
      to: pathOf(app.id, to),
      search: (before: Search) => withSearch(sharedSearch(before), more),
    })
}

function useChoices({ apps, app, showKeys }: Omit<Props, 'onClose'>): { name: string; choices: Choice[] }[] {
  const go = useGo(app)
  const { search, change } = useSearchState()
  const funnels = useReport<{ funnels: readonly ListedFunnel[] }>(appPath(app.id, 'funnels'))
  const elements = useReport<{ elements: readonly Element[] }>(appPath(app.id, 'elements'))
  const { pages, ranges, actions } = paletteWords
  return [
    {
      name: pages,
      choices: navigation.flat().map(({ to, name }) => ({ id: to, name, run: () => go(to) })),
    },
    {
      name: paletteWords.funnels,
      choices: (funnels.data?.funnels ?? []).map(({ id, name }) => ({
        id,
        name,
        run: () => go(`funnels/${encodeURIComponent(id)}`),
      })),
    },
    {
      name: paletteWords.elements,
      choices: (elements.data?.elements ?? []).map(({ xpath, name }) => ({
        id: xpath,
        name,
        run: () => go('elements', { element: xpath }),
      })),
    },
    {
      name: ranges,
      choices: presets.map((preset) => ({
        id: preset,
        name: paletteWords.last[preset],
        hint: presetKeys[preset],
        run: () => change({ range: preset }),
      })),
    },
    { name: actions, choices: actionsOf(search, change, showKeys) },
    {
      name: paletteWords.apps,
      choices: apps
        .filter(({ id }) => id !== app.id)
        // a whole load: nothing of one app may stay on the page of another
        .map(({ id, name }) => ({ id, name, run: () => location.assign(pathOf(id, 'overview')) })),
    },
  ]
}

function actionsOf(search: Search, change: (change: SearchChange) => void, showKeys: () => void): Choice[] {
  const { compareBefore, compareYear, compareNone, clearFilters, copyLink, showKeys: showKeysName } = paletteWords
  return [
    { id: 'previous', name: compareBefore, run: () => change({ vs: 'previous' }) },
    { id: 'year', name: compareYear, run: () => change({ vs: 'year' }) },
    ...(search.vs === undefined ? [] : [{ id: 'no', name: compareNone, run: () => change({ vs: undefined }) }]),
    ...(search.f === undefined ? [] : [{ id: 'f', name: clearFilters, run: () => change({ f: undefined }) }]),
    // browsers have a clipboard only where the connection is safe
    ...(window.isSecureContext
      ? [{ id: 'copy', name: copyLink, run: () => void navigator.clipboard.writeText(location.href) }]
      : []),
    { id: 'keys', name: showKeysName, hint: '?', run: showKeys },
  ]
}

/** Finds people with events in the range by what was typed. */
function usePeopleChoices(app: AppView, text: string): Choice[] {
  const go = useGo(app)
  const { search } = useSearchState()
  const scope = readScope(app, search, useToday(app.timezone))
  const isSearching = text.length >= SEARCH_CHARS_MIN && 'range' in scope
  const parameters = { search: text, limit: String(PEOPLE_SHOWN) }
  const report = useReport<{ persons: readonly { id: string }[] }>(
    isSearching ? reportPath(app.id, 'persons', scope.range, parameters) : null,
  )
  if (!isSearching || report.stale) return []
  return (report.data?.persons ?? []).map(({ id }) => ({
    id,
    name: shownId(id),
    run: () => go(`people/${encodeURIComponent(id)}`),
  }))
}
