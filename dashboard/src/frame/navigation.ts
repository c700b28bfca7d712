import {
  Bell,
  ChartNoAxesColumn,
  Compass,
  Filter,
  MousePointerClick,
  Radio,
  Route,
  ServerCog,
  Settings,
  Users,
  type LucideIcon,
} from 'lucide-react'
import { words } from '../words.ts'

export interface NavigationEntry {
  /** the path below the app */
  readonly to: string
  readonly name: string
  readonly icon: LucideIcon
  /** true if it stands in the bar at the bottom of a phone; the others are in its last place */
  readonly onPhone: boolean
}

/** The pages of an app, in groups with a line between them. A page has its route in `routes.tsx`. */
export const navigation: readonly (readonly NavigationEntry[])[] = [
  [
    { to: 'overview', name: words.navigation.overview, icon: ChartNoAxesColumn, onPhone: true },
    { to: 'funnels', name: words.navigation.funnels, icon: Filter, onPhone: true },
    { to: 'journeys', name: words.navigation.journeys, icon: Route, onPhone: true },
    { to: 'elements', name: words.navigation.elements, icon: MousePointerClick, onPhone: true },
    { to: 'explore', name: words.navigation.explore, icon: Compass, onPhone: false },
  ],
  [
    { to: 'people', name: words.navigation.people, icon: Users, onPhone: false },
    { to: 'live', name: words.navigation.live, icon: Radio, onPhone: false },
  ],
  [
    { to: 'alerts', name: words.navigation.alerts, icon: Bell, onPhone: false },
    { to: 'settings', name: words.navigation.settings, icon: Settings, onPhone: false },
    { to: 'system', name: words.navigation.system, icon: ServerCog, onPhone: false },
  ],
]
