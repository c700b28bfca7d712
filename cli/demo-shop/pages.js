import { inCart } from './cart.js'
import { euro, productOf, products } from './products.js'

const picture = ({ id, name, tint }) =>
  `<span class="picture" data-tint="${tint}"><img src="/demo/${id}.svg" alt="${name}"></span>`
const card = (product) =>
  `<a class="card" data-page="/products/${product.id}">${picture(product)}` +
  `<strong>${product.name}</strong><span>${euro(product.price)}</span></a>`
const cards = (some) => `<div class="cards">${some.map(card).join('')}</div>`

function home() {
  return `<h1>Good things for quiet rooms</h1>
    <p class="lead">Lamps, chairs and small luxuries from workshops we know by name.
      Free delivery, thirty days to change your mind.</p>
    <button id="shop-now" class="main" data-go="/products">Shop now</button>
    <h2>Loved this week</h2>${cards(products.slice(0, 3))}
    <ul class="promises"><li><b>Free delivery</b>from the first euro</li>
      <li><b>Thirty days</b>to send it back</li><li><b>Ten years</b>of repair</li></ul>`
}

function list() {
  return `<h1>Products</h1><p class="lead">${products.length} things, each one in stock.</p>${cards(products)}`
}

function detail(product) {
  return `<div class="detail">${picture(product)}<div>
      <p class="crumb"><a data-page="/products">Products</a> / ${product.name}</p>
      <h1>${product.name}</h1><p class="price">${euro(product.price)}</p><p class="lead">${product.text}</p>
      <button id="add" class="main" data-add="${product.id}" data-go="/cart">Add to cart</button>
      <button id="buy-now" data-add="${product.id}" data-go="/checkout">Buy now</button>
      <p class="stock">In stock, with you in three days</p>
    </div></div>
    <h2>Goes well with it</h2>${cards(products.filter(({ id }) => id !== product.id).slice(0, 3))}`
}

const total = () => inCart().reduce((sum, id) => sum + productOf(id).price, 0)
const lines = () =>
  `<table>${inCart()
    .map(
      (
        id,
        i,
      ) => `<tr><td>${picture(productOf(id))}</td><td>${productOf(id).name}</td><td>${euro(productOf(id).price)}</td>
    <td><button class="quiet" data-remove="${i}" aria-label="Remove ${productOf(id).name}">Remove</button></td></tr>`,
    )
    .join('')}
    <tr class="total"><td></td><td>Total</td><td>${euro(total())}</td><td></td></tr></table>`

function cart() {
  if (inCart().length === 0)
    return (
      '<h1>Your cart</h1><p class="lead">It is empty still.</p>' +
      '<button id="shop-now" class="main" data-go="/products">Shop now</button>'
    )
  return `<h1>Your cart</h1>${lines()}<button id="checkout" class="main" data-go="/checkout">Checkout</button>`
}

function checkout() {
  return `<h1>Checkout</h1><p class="lead">A demo: write anything, nothing is sent.</p>
    <form id="checkout-form"><label>Name<input autocomplete="off" placeholder="Ada Lovelace"></label>
    <label>Street<input autocomplete="off" placeholder="12 St James's Square"></label>
    <label>City<input autocomplete="off" placeholder="London"></label>
    <p class="price">${euro(total())}</p><button id="order" class="main">Place order</button></form>`
}

const thanks = () =>
  `<h1>Thank you</h1><p class="lead">Your order is on its imaginary way.</p>` +
  `<button id="back" class="main" data-go="/">Back to the shop</button>`
const missing = () =>
  `<h1>Nothing here</h1><p class="lead">This page does not exist.</p>` +
  `<button id="back" class="main" data-go="/">Back to the shop</button>`

/** Returns the markup of a page by its path inside the shop. It contains no visitor input. */
export function markupOf(path) {
  const product = productOf(path.split('/')[2])
  if (path.startsWith('/products/')) return product ? detail(product) : missing()
  return ({ '/': home, '/products': list, '/cart': cart, '/checkout': checkout, '/thanks': thanks }[path] ?? missing)()
}
