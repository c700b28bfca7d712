import { channels } from '@hopper/contracts'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { channelOf, type Origin } from './channel.ts'

const utm = (source?: string, medium?: string, campaign?: string): NonNullable<Origin['utm']> => ({
  ...(source !== undefined && { utm_source: source }),
  ...(medium !== undefined && { utm_medium: medium }),
  ...(campaign !== undefined && { utm_campaign: campaign }),
})

it.each<[string, Origin]>([
  ['direct', {}],
  ['referral', { referrer: 'blog.example/post' }],
  ['referral', { referrer: 'google.shop.example/' }],
  ['referral', { referrer: 'notgoogle.com/' }],
  ['referral', { referrer: 'docs.google.com/document' }],
  ['referral', { referrer: 'facebook.com.phish.example/' }],
  ['search', { referrer: 'www.google.com/' }],
  ['search', { referrer: 'google.co.uk/' }],
  ['search', { referrer: 'images.google.de:8080/' }],
  ['search', { referrer: 'r.search.yahoo.com/' }],
  ['search', { referrer: 'android-app://com.google.android.googlequicksearchbox/' }],
  ['search', { referrer: 'shop.partner.example/', utm: utm('google', 'organic') }],
  ['search', { utm: utm('Bing') }],
  ['social', { referrer: 'l.facebook.com/' }],
  ['social', { referrer: 't.co/abc' }],
  ['social', { referrer: 'news.ycombinator.com/item' }],
  ['social', { utm: utm('instagram', 'story') }],
  ['social', { utm: utm('x', 'Social-Media') }],
  ['social', { click_id: 'fbclid' }],
  ['email', { utm: utm('newsletter', 'email') }],
  ['email', { utm: utm('e-mail') }],
  ['email', { referrer: 'mail.google.com/' }],
  ['paid', { click_id: 'gclid' }],
  ['paid', { click_id: 'msclkid', referrer: 'bing.com/' }],
  ['paid', { referrer: 'google.com/', utm: utm('google', 'cpc', 'spring') }],
  ['paid', { utm: utm('facebook', 'paid_social') }],
  ['paid', { click_id: 'fbclid', utm: utm('facebook', 'paidsocial') }],
  ['paid', { utm: utm('site', 'banner') }],
  ['campaign', { utm: utm(undefined, undefined, 'spring') }],
  ['campaign', { utm: utm('partner', 'affiliate') }],
  ['referral', { utm: utm('partner', 'referral') }],
])('%s: %j', (channel, origin) => {
  expect(channelOf(origin)).toBe(channel)
})

it('gives every arrival one of the listed channels', () => {
  const text = fc.option(fc.string({ maxLength: 20 }), { nil: undefined })
  fc.assert(
    fc.property(text, text, text, (source, medium, referrer) => {
      const origin = { utm: utm(source, medium), ...(referrer !== undefined && { referrer }) }
      expect(channels).toContain(channelOf(origin))
    }),
  )
})
