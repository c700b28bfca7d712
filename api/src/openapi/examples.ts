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
  LoginBody: { member: 'ann', password: 'correct horse battery' },
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
