import { productOf } from './products.js'

const name = 'demo-cart'

/** Returns the product ids in the cart. The cart is empty in a browser that blocks storage. */
export function inCart() {
  try {
    return JSON.parse(sessionStorage.getItem(name) ?? '[]').filter(productOf)
  } catch {
    return []
  }
}

export function keep(ids) {
  try {
    sessionStorage.setItem(name, JSON.stringify(ids))
  } catch {
    // the cart stays empty
  }
}
