import { encode } from 'uqr'
import { useState, type FormEvent, type ReactNode } from 'react'
import { useSession } from '../../api/session.tsx'
import { useReport } from '../../api/use-report.ts'
import { Card } from '../../parts/card.tsx'
import { CopyText } from '../../parts/copy-text.tsx'
import { Problem } from '../../parts/states/problem.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { useChange } from '../../parts/use-change.ts'

const path = '/api/v1/me/second-factor'

interface SecondFactor {
  readonly on: boolean
  readonly recovery_codes_left: number
}

interface NewSecondFactor {
  readonly secret: string
  readonly uri: string
}

/** Turns the second factor of the member on and off. The recovery codes are shown once. */
export function SecondFactorCard(): ReactNode {
  const { client } = useSession()
  const report = useReport<SecondFactor>(path)
  const [begun, setBegun] = useState<NewSecondFactor | null>(null)
  const [recovery, setRecovery] = useState<readonly string[] | null>(null)
  const { error, busy, run } = useChange(report.reload)
  const begin = (fields: FormData): void =>
    void run(async () => {
      const current = fields.get('current')
      setBegun(await client.send('POST', path, current === null ? {} : { current_password: current }))
    })
  const confirm = (fields: FormData): void =>
    void run(async () => {
      const { recovery_codes } = await client.send<{ recovery_codes: string[] }>('PUT', path, {
        code: fields.get('code'),
      })
      setBegun(null)
      setRecovery(recovery_codes)
    })
  const remove = (fields: FormData): void =>
    void run(async () => {
      await client.send('DELETE', path, { code: fields.get('code') })
      setRecovery(null)
    })
  return (
    <Card title="Second factor">
      {error && <Problem error={error} />}
      {recovery && (
        <div className="once" role="status">
          <p>
            <b>Recovery codes, shown only once.</b> Each replaces your authenticator once. Keep them where you would
            find them without your telephone.
          </p>
          <CopyText text={recovery.join('\n')} label="Recovery codes" />
        </div>
      )}
      <ReportView report={report}>
        {({ on, recovery_codes_left: left }) => {
          if (on) return <TurnOff left={left} busy={busy} onSubmit={remove} />
          if (begun) return <Confirm begun={begun} busy={busy} onSubmit={confirm} />
          return <Begin busy={busy} onSubmit={begin} />
        }}
      </ReportView>
    </Card>
  )
}

interface FormProps {
  busy: boolean
  onSubmit: (fields: FormData) => void
}

function Begin(props: FormProps): ReactNode {
  const { me } = useSession()
  return (
    <CodeForm {...props} button="Set up a second factor">
      <p>With it, a login needs a code of an authenticator app as well as your password or login link.</p>
      {me.member.has_password && (
        <label>
          Current password
          <input name="current" type="password" autoComplete="current-password" maxLength={200} required />
        </label>
      )}
    </CodeForm>
  )
}

function Confirm({ begun: { secret, uri }, ...props }: FormProps & { begun: NewSecondFactor }): ReactNode {
  return (
    <CodeForm {...props} button="Turn it on">
      <p>Scan this with your authenticator, or type the secret into it. Then send the code that it shows.</p>
      <QrCode text={uri} label="Secret of the second factor as a QR code" />
      <CopyText text={secret} label="Secret of the second factor" />
      <CodeField />
    </CodeForm>
  )
}

function TurnOff({ left, ...props }: FormProps & { left: number }): ReactNode {
  return (
    <CodeForm {...props} button="Turn it off">
      <p>
        A login needs a code. Recovery codes left: {left}. For new ones, turn the second factor off and set it up again.
      </p>
      <CodeField />
    </CodeForm>
  )
}

function CodeField(): ReactNode {
  return (
    <label>
      Code
      <input name="code" autoComplete="one-time-code" maxLength={40} required />
    </label>
  )
}

function CodeForm({
  busy,
  onSubmit,
  button,
  children,
}: FormProps & { button: string; children: ReactNode }): ReactNode {
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    onSubmit(new FormData(event.currentTarget))
  }
  return (
    <form className="fields" onSubmit={submit}>
      {children}
      <div className="row">
        <button type="submit" className="primary" disabled={busy}>
          {button}
        </button>
      </div>
    </form>
  )
}

/** A text as a QR code: dark on light in either theme, since readers expect that. */
function QrCode({ text, label }: { text: string; label: string }): ReactNode {
  const { data, size } = encode(text, { border: 4 })
  const path = data.flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : ''))).join('')
  return (
    <svg className="qr-code" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shapeRendering="crispEdges">
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  )
}
