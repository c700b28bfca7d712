import type { ReactNode } from 'react'
import { X } from 'lucide-react'
import { Icon } from '../../parts/icon.tsx'
import { ModalDialog } from '../../parts/modal-dialog.tsx'
import { presets } from '../../state/date-range.ts'
import { words } from '../../words.ts'
import { presetKeys } from '../range-keys.ts'
import { commandKey } from './command-key.ts'
import { paletteWords } from './palette-words.ts'

const entries: readonly (readonly [keys: readonly string[], does: string])[] = [
  [[commandKey, 'K'], paletteWords.openPalette],
  [['?'], paletteWords.showsKeys],
  ...presets.map((preset) => [[presetKeys[preset]], paletteWords.last[preset]] as const),
  [['←'], paletteWords.earlier],
  [['→'], paletteWords.later],
  [['Esc'], paletteWords.closes],
  [['←', '→'], paletteWords.tabs],
  [['Alt', '↑', '↓'], paletteWords.moveStage],
  [[commandKey, paletteWords.press], paletteWords.exclude],
]

/** Lists the keys of the dashboard. */
export default function KeyList({ onClose }: { onClose: () => void }): ReactNode {
  return (
    <ModalDialog label={paletteWords.keys} className="key-list" onClose={onClose}>
      <div className="modal-head">
        <h2>{paletteWords.keys}</h2>
        <button type="button" className="plain" aria-label={words.close} onClick={onClose}>
          <Icon of={X} />
        </button>
      </div>
      <dl>
        {entries.map(([keys, does]) => (
          <div key={does}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </ModalDialog>
  )
}
