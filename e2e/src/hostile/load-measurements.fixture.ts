import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import type { Installation } from '../installations/installation.ts'

/** Returns the memory of a process, in MB. */
export function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) / 1_024
}

/** Sends events of an app one after the other; returns the longest time until one was acknowledged, in ms. */
export async function longestDelay({ ingestUrl }: Installation, key: string, requests: number): Promise<number> {
  let longest = 0
  for (let index = 0; index < requests; index++) {
    const begin = performance.now()
    const event = { type: 'custom', name: 'n', event_id: `n${index}`, timestamp: Date.now() }
    const answer = await fetch(`${ingestUrl}/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': key },
      body: JSON.stringify({ device_id: 'd', events: [event] }),
    })
    expect(answer.status).toBe(202)
    await answer.arrayBuffer()
    longest = Math.max(longest, performance.now() - begin)
  }
  return longest
}
