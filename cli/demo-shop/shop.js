import { inCart, keep } from './cart.js'
import { markupOf } from './pages.js'

// The shop has two variants: /demo/spa is a single-page app, and under /demo/shop each page is a full load. /demo/
// redirects to the latter.
const isSpa = location.pathname.startsWith('/demo/spa')
const base = isSpa ? '/demo/spa' : '/demo/shop'
const byId = (id) => document.getElementById(id)

function show() {
  const path = location.pathname.replace(/^\/demo(\/(spa|shop)(?=\/|$))?/, '') || '/'
  const main = document.querySelector('main')
  main.innerHTML = markupOf(path)
  for (const link of document.querySelectorAll('a[data-page]')) link.href = base + link.dataset.page
  for (const picture of document.querySelectorAll('[data-tint]')) picture.style.backgroundColor = picture.dataset.tint
  byId('cart-count').textContent = String(inCart().length)
  byId('variant').textContent = isSpa ? 'single-page app' : 'full page loads'
  byId('other-variant').textContent = isSpa ? 'try full page loads' : 'try the single-page app'
  byId('other-variant').href = isSpa ? '/demo/shop/' : '/demo/spa/'
  document.title = `${main.querySelector('h1').textContent} - Warren & Oak`
}

function go(page) {
  if (!isSpa) return location.assign(base + page)
  history.pushState(null, '', base + page)
  show()
  scrollTo(0, 0)
}

document.addEventListener('click', (event) => {
  const target = event.target.closest('[data-add], [data-remove], [data-go], a[data-page]')
  if (!target) return
  const { add, remove, go: to, page } = target.dataset
  if (add) keep([...inCart(), add])
  if (remove) keep(inCart().filter((_, i) => i !== Number(remove)))
  if (to) go(to)
  else if (remove) show()
  else if (page && isSpa && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault()
    go(page)
  }
})

document.addEventListener('submit', (event) => {
  event.preventDefault()
  if (event.target.id === 'newsletter-form') {
    byId('newsletter-answer').textContent = 'Welcome! (Nothing was sent.)'
    return
  }
  keep([])
  go('/thanks')
})

addEventListener('popstate', show)
show()
