import { init } from '@hopper/tracker'
import {
  createRootRoute,
  createRoute,
  createRouter,
  Link,
  Outlet,
  RouterProvider,
  useNavigate,
} from '@tanstack/react-router'
import { useState, type ReactElement } from 'react'
import { createRoot } from 'react-dom/client'

/** Set by the build. */
declare const WRITE_KEY: string
declare const INGEST_URL: string

init({ key: WRITE_KEY, url: INGEST_URL })

function Shop(): ReactElement {
  return (
    <>
      <nav>
        <Link id="home" to="/">
          Home
        </Link>
        <Link id="products" to="/products">
          Products
        </Link>
        <Link id="lamp" to="/products/$name" params={{ name: 'lamp' }}>
          Lamp
        </Link>
        <Link id="thanks" to="/thanks" replace>
          Thanks
        </Link>
      </nav>
      <Outlet />
    </>
  )
}

function Product(): ReactElement {
  const navigate = useNavigate()
  const [isShown, show] = useState(false)
  const [isLast, move] = useState(false)
  const [version, replace] = useState(0)
  const buy = isShown && (
    <button
      id="buy"
      key={`buy ${version}`}
      style={{ display: 'block', padding: 20 }}
      onClick={() => void navigate({ to: '/cart' })}
    >
      Buy
    </button>
  )
  const gap = (
    <div id="gap" key="gap" style={{ height: 200 }}>
      A very good lamp.
    </div>
  )
  return (
    <main>
      <button id="colour" onClick={() => void navigate({ to: '.', search: { colour: 'red' }, replace: true })}>
        Red
      </button>
      <button id="show" onClick={() => show(true)}>
        Show
      </button>
      <button id="move" onClick={() => move(true)}>
        Move
      </button>
      <button id="replace" onClick={() => replace(version + 1)}>
        Replace
      </button>
      <div>{isLast ? [gap, buy] : [buy, gap]}</div>
    </main>
  )
}

const page = (text: string) => () => <main>{text}</main>
const root = createRootRoute({ component: Shop })
const routeTree = root.addChildren([
  createRoute({ getParentRoute: () => root, path: '/', component: page('Home') }),
  createRoute({ getParentRoute: () => root, path: '/products', component: page('Products') }),
  createRoute({
    getParentRoute: () => root,
    path: '/products/$name',
    component: Product,
    validateSearch: ({ colour }: Record<string, unknown>): { colour?: string } =>
      typeof colour === 'string' ? { colour } : {},
  }),
  createRoute({ getParentRoute: () => root, path: '/cart', component: page('Cart') }),
  createRoute({ getParentRoute: () => root, path: '/thanks', component: page('Thanks') }),
])
const router = createRouter({ routeTree })

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}

createRoot(document.getElementById('root')!).render(<RouterProvider router={router} />)
