import { expect, test } from 'vitest'
import { isLoopback, sourceOf } from './source-address.ts'

test('a source is an IPv4 address, or the /64 network of an IPv6 address', () => {
  expect(sourceOf('203.0.113.7')).toBe('203.0.113.7')
  expect(sourceOf('::ffff:203.0.113.7')).toBe('203.0.113.7')
  expect(sourceOf('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64')
  expect(sourceOf('2001:0DB8:1:2::1')).toBe('2001:db8:1:2::/64')
  expect(sourceOf('2001:db8::1')).toBe('2001:db8:0:0::/64')
  expect(sourceOf('fe80::1%eth0')).toBe('fe80:0:0:0::/64')
})

test('whatever a header claims is a source of bounded length', () => {
  for (const claimed of ['', ':', '::::', 'x:y:z', '1:2:3:4:5:6:7:8:9:10', '%', '::%'])
    expect(sourceOf(claimed).length).toBeLessThan(40)
})

test('loopback is recognized in both families', () => {
  expect(['127.0.0.1', '::1', '::ffff:127.0.0.2'].map((address) => isLoopback(sourceOf(address)))).toEqual([
    true,
    true,
    true,
  ])
  expect(['10.0.0.1', '2001:db8::1'].map((address) => isLoopback(sourceOf(address)))).toEqual([false, false])
})
