import type { Client } from 'cassandra-driver'
import { statement } from '../client/statements.ts'

type Batch = { query: string; params: unknown[] }[]

/** Intercepts the one batch that changes a manifest: `send` sends it and returns the server's response. */
export type OnChange = (send: () => Promise<unknown>, batch: Batch) => Promise<unknown>

/** Wraps a client so that each manifest change goes through `onChange`. */
export function unsteady(client: Client, onChange: OnChange): Client {
  const advance = statement('spans.advance')
  return new Proxy(client, {
    get(target, name) {
      if (name === 'batch') {
        return (batch: Batch, options: object): Promise<unknown> => {
          const send = (): Promise<unknown> => target.batch(batch, options)
          return batch[0]?.query === advance ? onChange(send, batch) : send()
        }
      }
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

/** Sends the change without its condition, as a control: the effect of a late write. */
export async function sendUnconditionally(
  client: Client,
  [first, ...rest]: Batch,
): Promise<{ wasApplied: () => boolean }> {
  const bare = { query: first!.query.replace(/ IF revision = \?$/, ''), params: first!.params.slice(0, -1) }
  await client.batch([bare, ...rest], { prepare: true, logged: false })
  return { wasApplied: () => true }
}
