import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

interface Profile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string }
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

/**
 * Returns the self time in ms of all threads by part of Hopper, largest first, from the profiles that `node
 * --cpu-prof` has written to a folder.
 */
export function cpuByPart(dir: string): (readonly [string, number])[] {
  const ms = new Map<string, number>()
  for (const file of readdirSync(dir)) {
    const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(join(dir, file), 'utf8')) as Profile
    const partOf = new Map(nodes.map(({ id, callFrame }) => [id, part(callFrame)]))
    samples.forEach((id, index) => ms.set(partOf.get(id)!, (ms.get(partOf.get(id)!) ?? 0) + timeDeltas[index]! / 1_000))
  }
  ms.delete('idle')
  return [...ms].sort((a, b) => b[1] - a[1])
}

function part({ functionName, url }: Profile['nodes'][number]['callFrame']): string {
  const name = functionName.replace(/[()]/g, '')
  if (url === '') return name === 'garbage collector' || name === 'idle' ? name : 'other native code'
  if (url.startsWith('node:'))
    return url.includes('zlib') ? 'zstd' : url.includes('modules') ? 'loading of modules' : 'Node'
  const dependency = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]
  if (dependency !== undefined) return dependency === 'cassandra-driver' ? dependency : 'other dependencies'
  return /\/(engine|storage|api|cli|contracts)\/(?:dist|src)\//.exec(url)?.[1] ?? 'other'
}
