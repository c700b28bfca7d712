import { createApp, defineComponent, h, ref } from 'vue'
import { createRouter, createWebHistory, RouterLink, RouterView, useRouter } from 'vue-router'

const link = (id: string, to: string, replace = false) => h(RouterLink, { id, to, replace }, () => id)

const Shop = defineComponent(() => () => [
  h('nav', [
    link('home', '/'),
    link('products', '/products'),
    link('lamp', '/products/lamp'),
    link('thanks', '/thanks', true),
  ]),
  h(RouterView),
])

const Product = defineComponent(() => {
  const router = useRouter()
  const isShown = ref(false)
  const isLast = ref(false)
  const version = ref(0)
  const button = (id: string, onClick: () => unknown) => h('button', { id, onClick }, id)
  return () => {
    const buy = isShown.value
      ? h(
          'button',
          {
            id: 'buy',
            key: `buy ${version.value}`,
            style: 'display: block; padding: 20px',
            onClick: () => router.push('/cart'),
          },
          'Buy',
        )
      : h('span', { key: 'later' })
    const gap = h('div', { id: 'gap', key: 'gap', style: 'height: 200px' }, 'A very good lamp.')
    return h('main', [
      button('colour', () => router.replace({ query: { colour: 'red' } })),
      button('show', () => (isShown.value = true)),
      button('move', () => (isLast.value = true)),
      button('replace', () => version.value++),
      h('div', isLast.value ? [gap, buy] : [buy, gap]),
    ])
  }
})

const page = (text: string) => defineComponent(() => () => h('main', text))
const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: '/', component: page('Home') },
    { path: '/products', component: page('Products') },
    { path: '/products/:name', component: Product },
    { path: '/cart', component: page('Cart') },
    { path: '/thanks', component: page('Thanks') },
  ],
})

createApp(Shop).use(router).mount('#root')
