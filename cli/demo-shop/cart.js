import { productOf } from './products.js'

const name = 'demo-cart'

/** The ids of the products in the cart; a browser that stores nothing has an empty one. */
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
