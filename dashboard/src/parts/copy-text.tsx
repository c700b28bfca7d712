import type { ReactNode } from 'react'
import { words } from '../words.ts'
import { CopyButton } from './buttons/copy-button.tsx'

/** A text with a copy button. A press on the text selects all of it, for browsers without a clipboard. */
export function CopyText({ text, label }: { text: string; label: string }): ReactNode {
  return (
    <div className="copy" role="group" aria-label={label}>
      <pre tabIndex={0}>{text}</pre>
      <CopyButton text={() => text}>{words.copy}</CopyButton>
    </div>
  )
}
