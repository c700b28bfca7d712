import { lazy, Suspense, useEffect, useState, type ReactNode } from 'react'
import { Search } from 'lucide-react'
import { Icon } from '../../parts/icon.tsx'
import type { AppView } from '../../state/scope.tsx'
import { words } from '../../words.ts'
import { isTaken } from '../range-keys.ts'
import { commandKey } from './command-key.ts'

const loadPalette = () => import('./palette.tsx')
const Palette = lazy(loadPalette)
const KeyList = lazy(() => import('./key-list.tsx'))

interface Props {
  apps: readonly AppView[]
  app: AppView
}

/** Opens the palette, also by keys; `?` lists all keys. What opens is loaded on its first use. */
export function PaletteButton({ apps, app }: Props): ReactNode {
  const [opened, setOpened] = useState<'palette' | 'keys'>()
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const isPalette = event.key.toLowerCase() === 'k' && (event.metaKey || event.ctrlKey) && !event.altKey
      if (!isPalette && (event.key !== '?' || isTaken(event.target))) return
      event.preventDefault()
      setOpened((before) => (isPalette && before === 'palette' ? undefined : isPalette ? 'palette' : 'keys'))
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [])
  const close = (): void => setOpened(undefined)
  return (
    <>
      <button
        type="button"
        className="palette-button"
        aria-haspopup="dialog"
        onPointerEnter={() => void loadPalette()}
        onFocus={() => void loadPalette()}
        onClick={() => setOpened('palette')}
      >
        <Icon of={Search} />
        <span>{words.navigation.goTo}</span>
        <kbd aria-hidden="true">{commandKey} K</kbd>
      </button>
      <Suspense fallback={null}>
        {opened === 'palette' && <Palette apps={apps} app={app} onClose={close} showKeys={() => setOpened('keys')} />}
        {opened === 'keys' && <KeyList onClose={close} />}
      </Suspense>
    </>
  )
}
