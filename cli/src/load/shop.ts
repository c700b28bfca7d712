import { demoProvision } from '../demo/demo-shop.ts'
import type { ShopElement } from './recorder.ts'

const byId = (id: string): ShopElement => ({ xpath: `//*[@id='${id}']`, selector: `#${id}` })

/** The funnels of the demo app, from its provision file. */
export const funnels = demoProvision()
  .organizations.flatMap(({ apps = [] }) => apps)
  .flatMap(({ funnels = [] }) => funnels)

/** The products that the shop sells, most popular first. */
export const products = ['lamp', 'chair', 'desk', 'rug', 'clock', 'vase'] as const

export const pages = {
  home: '/demo/shop/',
  products: '/demo/shop/products',
  product: (product: string) => `/demo/shop/products/${product}`,
  cart: '/demo/shop/cart',
  checkout: '/demo/shop/checkout',
  thanks: '/demo/shop/thanks',
} as const

/** Elements that visitors use: buttons by their ids on the pages, and places where people click without a reason. */
export const elements = {
  shopNow: byId('shop-now'),
  addToCart: byId('add'),
  checkout: byId('checkout'),
  placeOrder: byId('order'),
  idle: [
    { xpath: '/html[1]/body[1]/main[1]/h1[1]' },
    { xpath: '/html[1]/body[1]/main[1]/p[1]' },
  ] as readonly ShopElement[],
}
