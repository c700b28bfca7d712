/** An example of each body, by the name of its schema. A test sends each of them. */
export const examples: Readonly<Record<string, object>> = {
  FunnelQuery: {
    from: '2026-01-01',
    to: '2026-01-31',
    window_ms: 3_600_000,
    count_by: 'person',
    steps: [
      { name: 'product', filters: [{ type: 'eq', key: 'event_tag', value: 'product_view' }] },
      { name: 'cart', filters: [{ type: 'regex', key: 'event_tag', value: 'add_to_(cart|bag)' }] },
    ],
  },
  EventQuery: {
    start: '2026-01-01',
    end: '2026-01-31',
    data: [{ name: 'views', filters: [{ type: 'eq', key: 'event_tag', value: 'product_view' }], unique: ['user_id'] }],
  },
  RetentionQuery: {
    from: '2026-01-01',
    to: '2026-01-31',
    by: 'week',
    first: [{ type: 'eq', key: 'type', value: 'identify' }],
    again: [],
  },
  SentFunnel: {
    id: 'checkout',
    name: 'Checkout',
    stages: [
      { id: 1, name: 'Home', url: '/' },
      { id: 2, name: 'Cart', click: '#add-to-cart' },
      { id: 3, name: 'Thanks', url: '/thanks*' },
    ],
  },
  FunnelPatch: { name: 'Checkout' },
  Element: { name: 'Add to cart', xpath: "//*[@id='add-to-cart']" },
  ElementPatch: { name: 'Add to basket' },
  PropertyDefinition: { event: 'purchase', operation: 'sum', key: 'price' },
  NewApp: { id: 'shop', name: 'Shop', timezone: 'Europe/Berlin', origins: ['https://shop.example'] },
  AppPatch: { name: 'Web shop' },
  NewKey: { power: 'read' },
  NewMember: { id: 'ann', name: 'Ann', role: 'viewer' },
  MemberPatch: { role: 'admin' },
  OwnPatch: { name: 'Ann' },
  LettersToReplay: { lane: 3, positions: [1204] },
  McpMessage: { jsonrpc: '2.0', id: 1, method: 'tools/list' },
  LoginBody: { member: 'ann', password: 'correct horse battery' },
  SamplesBody: {
    events: [{ ts: 1_767_225_600_000, samplerate: 10, data: { event_tag: 'product_view', sku: 'tea' } }],
  },
  StoredMessages: [
    {
      message_id: 'm-1',
      timestamp: '1767225600000123456',
      event_type: 'order_paid',
      payload: { total: 12.5, currency: 'EUR' },
    },
  ],
  StoredMessage: { message_id: 'm-2', timestamp: '1767225600000123456', event_type: 'note', payload: 'plain text' },
  TrackBody: {
    anonymousId: 'phone-1',
    userId: 'ann',
    occurredAt: '2026-01-31T12:00:00Z',
    type: 'signed_up',
    data: { plan: 'pro' },
    utm: { source: 'mail' },
  },
  IdentifyBody: { anonymousId: 'phone-1', userId: 'ann', traits: { plan: 'pro' } },
  SegmentMessage: {
    messageId: 'm-1',
    anonymousId: 'browser-1',
    timestamp: '2026-01-31T12:00:00Z',
    event: 'Order Completed',
    properties: { total: 12.5 },
    context: { page: { url: 'https://shop.example/cart' }, campaign: { name: 'spring', source: 'news' } },
  },
  SegmentBatch: {
    sentAt: '2026-01-31T12:00:01Z',
    batch: [
      { type: 'identify', messageId: 'm-2', anonymousId: 'browser-1', userId: 'ann', traits: { plan: 'pro' } },
      { type: 'track', messageId: 'm-3', userId: 'ann', event: 'Order Completed', properties: { total: 12.5 } },
    ],
  },
  PosthogBatch: {
    api_key: 'hw_...',
    sent_at: '2026-01-31T12:00:01Z',
    batch: [
      {
        event: 'order completed',
        uuid: '019bf3c0-0000-7000-8000-000000000000',
        distinct_id: 'ann',
        timestamp: '2026-01-31T12:00:00Z',
        properties: { total: 12.5 },
      },
    ],
  },
  EventsBody: {
    device_id: 'phone-1',
    events: [
      { type: 'custom', name: 'purchase', data: { price: 9.5, currency: 'EUR' } },
      {
        type: 'url_change',
        from: '/',
        to: '/cart',
        elapsed_time: 5_000,
        event_id: 'e-1',
        timestamp: '2026-01-31T12:00:00Z',
      },
    ],
  },
}
