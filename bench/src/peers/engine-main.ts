import { parentPort, workerData } from 'node:worker_threads'
import { ColumnCache, FunnelScan, spansOf } from '@hopper/engine'
import type { EngineJob, EngineReply, EngineShare } from './engine-job.ts'
import { LaneFile } from './lane-file.ts'

/** What the thread may keep of decoded columns. */
const CACHE_BYTES_MAX = 1_000_000_000

const { files, identities } = workerData as EngineShare
const lanes = files.map(({ lane, path }) => ({ lane, file: new LaneFile(path) }))
const cache = new ColumnCache(CACHE_BYTES_MAX)
const hot = lanes.map(({ lane, file }) => ({ lane, identities, spans: spansOf(file.chunks(cache)) }))

parentPort!.on('message', (job: EngineJob) => {
  const scan = new FunnelScan(job.request, job.context)
  for (const lane of job.hot ? hot : lanes.map(({ lane, file }) => ({ lane, identities, spans: spansOf(file.chunks()) }))) scan.scanLane(lane)
  const partial = scan.partial()
  const blocks = [...partial.tally.times, ...partial.tally.timeGroups].flat()
  parentPort!.postMessage({ partial, cacheBytes: cache.bytes } satisfies EngineReply, [...new Set(blocks.map(({ buffer }) => buffer as ArrayBuffer))])
})
