import { useState, type ReactNode } from 'react'
import { Check, Copy } from 'lucide-react'
import { words } from '../../words.ts'
import { Icon } from '../icon.tsx'

/** Copies a text, and then shows that it did. Absent where the browser has no clipboard, as without https. */
export function CopyButton({ text, children }: { text: () => string; children: ReactNode }): ReactNode {
  const [copied, setCopied] = useState(false)
  if (!window.isSecureContext) return null
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text())
    setCopied(true)
    setTimeout(() => setCopied(false), 2_000)
  }
  return (
    <button type="button" className="small" onClick={() => void copy()}>
      <Icon of={copied ? Check : Copy} />
      <span role="status">{copied ? words.copied : children}</span>
    </button>
  )
}
