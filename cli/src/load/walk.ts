import type { Random } from './random.ts'
import type { Recorder, ShopElement } from './recorder.ts'
import { elements, pages, products } from './shop.ts'
import type { Shopper } from './shoppers.ts'

const campaigns = [
  '?utm_source=newsletter&utm_medium=email',
  '?utm_source=google&utm_medium=cpc',
  '?utm_source=instagram&utm_medium=social',
]
const CAMPAIGN_CHANCE = 0.22
const PRODUCTS_SEEN_MAX = 8

/** Walks one visitor through one visit, from page to page. Some get further than others. */
export function walk(visit: Recorder, shopper: Shopper, random: Random): void {
  const walker = new Walker(visit, shopper, random)
  if (walker.browse() && walker.fillCart() && walker.checkOut()) walker.order()
}

/** Visits every page immediately and without a pointer, as a machine does. */
export function crawl(visit: Recorder, random: Random): void {
  for (const path of [
    pages.home,
    pages.products,
    ...products.slice(0, random.integer(1, products.length)).map(pages.product),
  ]) {
    visit.open(path)
    visit.wait(random.integer(80, 900))
  }
}

class Walker {
  readonly #visit: Recorder
  readonly #shopper: Shopper
  readonly #random: Random
  readonly #hovers: boolean

  constructor(visit: Recorder, shopper: Shopper, random: Random) {
    this.#visit = visit
    this.#shopper = shopper
    this.#random = random
    // A finger does not hover; a tap appears as a very short rest.
    this.#hovers = shopper.agent.kind === 'desktop'
  }

  /** Shows the entry page and the list of products; returns whether the visitor stays. */
  browse(): boolean {
    const query = this.#random.chance(CAMPAIGN_CHANCE) ? this.#random.pick(campaigns) : ''
    const entry = this.#random.weighted([
      [pages.home, 62],
      [pages.products, 18],
      [pages.product(this.#product()), 20],
    ] as const)
    this.#visit.open(`${entry}${query}`)
    this.#read(entry === pages.home ? 9_000 : 14_000)
    if (entry !== pages.home) return this.#goesOn(0.72)
    if (!this.#goesOn(0.68)) {
      this.#rest(elements.shopNow, 700)
      return false
    }
    this.#press(elements.shopNow, 1_100)
    this.#visit.open(pages.products)
    this.#read(12_000)
    return this.#goesOn(0.8)
  }

  /** Shows product after product, until the cart is full enough; returns whether the visitor stays. */
  fillCart(): boolean {
    for (let seen = 0; seen < PRODUCTS_SEEN_MAX; seen++) {
      this.#visit.open(pages.product(this.#product()))
      this.#read(21_000)
      if (this.#goesOn(0.2)) {
        this.#press(elements.addToCart, 1_900)
        this.#visit.open(pages.cart)
        this.#read(16_000)
        if (this.#random.chance(0.75)) return this.#goesOn(0.8)
      } else if (this.#random.chance(0.55)) this.#rest(elements.addToCart, 950)
      if (!this.#goesOn(0.56)) return false
      this.#visit.open(pages.products)
      this.#read(6_000)
    }
    return false
  }

  /** Goes from the cart to the form. A visitor with an account logs in there. */
  checkOut(): boolean {
    if (!this.#goesOn(0.52)) {
      this.#rest(elements.checkout, 1_300)
      return false
    }
    this.#press(elements.checkout, 1_500)
    this.#visit.open(pages.checkout)
    this.#read(8_000)
    if (this.#shopper.user !== undefined) this.#visit.identify(this.#shopper.user)
    this.#read(45_000)
    if (this.#goesOn(0.74)) return true
    this.#rest(elements.placeOrder, 1_600)
    return false
  }

  order(): void {
    this.#press(elements.placeOrder, 2_300)
    this.#visit.open(pages.thanks)
    this.#read(7_000)
  }

  /** Interested and returning people continue more often, and those with a small screen less often. */
  #goesOn(usual: number): boolean {
    const { interest, visits, agent } = this.#shopper
    const odds =
      (usual / (1 - usual)) *
      Math.exp(2.2 * (interest - 0.5) + 0.12 * Math.min(visits, 5) - (agent.kind === 'mobile' ? 0.35 : 0))
    return this.#random.chance(odds / (1 + odds))
  }

  #product(): string {
    return this.#random.weighted(products.map((product, index) => [product, 1 / (index + 1)] as const))
  }

  #read(medianMs: number): void {
    this.#visit.wait(this.#random.durationMs(medianMs, 0.8))
    if (this.#hovers && this.#random.chance(0.12)) this.#visit.click(this.#random.pick(elements.idle))
  }

  /** Rests the pointer on an element, then leaves it. */
  #rest(element: ShopElement, medianMs: number): void {
    if (this.#hovers) this.#visit.hover(element, this.#random.durationMs(medianMs, 0.7), false, 'mouse')
  }

  #press(element: ShopElement, medianMs: number): void {
    if (this.#random.chance(0.25)) this.#rest(element, medianMs * 0.6)
    this.#visit.hover(
      element,
      this.#random.durationMs(this.#hovers ? medianMs : 90, 0.6),
      true,
      this.#hovers ? 'mouse' : 'touch',
    )
  }
}
