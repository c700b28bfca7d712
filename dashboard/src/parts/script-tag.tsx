import type { ReactNode } from 'react'
import { useSession } from '../api/session.tsx'
import { CopyText } from './copy-text.tsx'

/**
 * The line a site puts into its pages. Keys are stored as hashes, so a key can be named only right after it was made.
 */
export function ScriptTag({
  writeKey = 'YOUR_WRITE_KEY',
  label = 'Script tag',
}: {
  writeKey?: string
  label?: string
}): ReactNode {
  const { ingest_url: origin = location.origin } = useSession().me
  return <CopyText text={`<script async src="${origin}/hopper.js" data-key="${writeKey}"></script>`} label={label} />
}
