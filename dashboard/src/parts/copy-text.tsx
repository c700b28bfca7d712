import { useState, type ReactNode } from 'react'

/** A text with a copy button. */
export function CopyText({ text, label }: { text: string; label: string }): ReactNode {
  const [copied, setCopied] = useState(false)
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text)
      setCopied(true)
    } catch {
      // without https there is no clipboard API; a click selects the text instead
    }
  }
  return (
    <div className="copy">
      <code tabIndex={0} aria-label={label}>
        {text}
      </code>
      {window.isSecureContext && (
        <button type="button" onClick={() => void copy()}>
          {copied ? 'Copied' : 'Copy'}
        </button>
      )}
    </div>
  )
}
