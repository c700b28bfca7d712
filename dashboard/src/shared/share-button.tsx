import { lazy, Suspense, useState, type ReactNode } from 'react'
import { Share2 } from 'lucide-react'
import { useSession } from '../api/session.tsx'
import { Icon } from '../parts/icon.tsx'
import { sharingWords } from './shared-words.ts'
import type { ViewOfPage } from './view-address.ts'

const ShareDialog = lazy(() => import('./share-dialog.tsx'))

/** Shares the page as it is; absent for those who may not. */
export function ShareButton({ of, name }: { of: ViewOfPage; name: string }): ReactNode {
  const { me } = useSession()
  const [isOpen, setOpen] = useState(false)
  if (me.member.role === 'viewer') return null
  return (
    <>
      <button type="button" className="small" aria-haspopup="dialog" onClick={() => setOpen(true)}>
        <Icon of={Share2} /> {sharingWords.share}
      </button>
      {isOpen && (
        <Suspense fallback={null}>
          <ShareDialog of={of} name={name} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  )
}
