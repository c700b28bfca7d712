// Load of both ways in: HTTP batches as a tracker sends them, and sessions over WebSockets. Run by hand, see README.md.
import { check, fail } from 'k6'
import exec from 'k6/execution'
import http from 'k6/http'
import { Counter, Trend } from 'k6/metrics'
import { WebSocket } from 'k6/experimental/websockets'
import { uuidv4 } from './uuid.js'

const url = __ENV.HOPPER_URL || 'http://127.0.0.1:8080'
const key = __ENV.HOPPER_WRITE_KEY || fail('set HOPPER_WRITE_KEY')
const MESSAGES = 20

const acknowledged = new Counter('ws_acknowledged')
const unanswered = new Counter('ws_unanswered')
const acknowledgement = new Trend('ws_acknowledgement', true)

export const options = {
  scenarios: {
    batches: {
      executor: 'ramping-arrival-rate',
      exec: 'batch',
      preAllocatedVUs: 50,
      maxVUs: 200,
      stages: [
        { target: 100, duration: '10s' },
        { target: 100, duration: '30s' },
      ],
    },
    sessions: { executor: 'constant-vus', exec: 'session', vus: 100, duration: '40s' },
  },
  thresholds: {
    'http_req_failed{scenario:batches}': ['rate==0'],
    'http_req_duration{scenario:batches}': ['p(99)<500'],
    ws_acknowledgement: ['p(99)<500'],
    ws_unanswered: ['count==0'],
    checks: ['rate==1'],
  },
}

export function batch() {
  const device = `k6-${exec.vu.idInTest}`
  const now = Date.now()
  const events = Array.from({ length: 20 }, (_, seq) => ({
    event_id: uuidv4(),
    timestamp: now - 20 + seq,
    type: 1,
    seq,
    target: "//*[@id='buy']",
    elapsed_time: 1_000,
    current_url: 'https://shop.example/products',
  }))
  const answer = http.post(`${url}/v1/events?key=${key}`, JSON.stringify({ device_id: device, events }), {
    headers: { 'Content-Type': 'text/plain' },
  })
  check(answer, {
    'the batch is durable': ({ status, body }) => status === 202 && JSON.parse(body).accepted === 20,
  })
}

export function session() {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/ws?sessionId=${uuidv4()}&key=${key}`)
  let sent = 0
  let sentAt = 0
  const next = () => {
    const type = sent === 0 ? 'SESSION_START' : sent === MESSAGES - 1 ? 'SESSION_END' : 'EVENT'
    sentAt = Date.now()
    socket.send(JSON.stringify([{ type, timestamp: sentAt, name: `step ${sent}` }]))
    sent++
  }
  socket.onopen = next
  socket.onmessage = ({ data }) => {
    const { ack } = JSON.parse(data)
    check(ack, { 'messages are acknowledged in order': (number) => number === sent })
    acknowledged.add(1)
    acknowledgement.add(Date.now() - sentAt)
    if (sent < MESSAGES) next()
    else socket.close()
  }
  socket.onerror = () => unanswered.add(1)
}
