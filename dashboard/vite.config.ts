import react from '@vitejs/plugin-react'
import { defaultClientConditions, defineConfig } from 'vite'
import { precompress } from './precompress.ts'

/**
 * Builds every asset as a file of its own: the page's content security policy allows no inline scripts or style sheets.
 */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), precompress()],
  // Contracts are read from their source: they are built at the same time as the dashboard.
  resolve: { conditions: ['source', ...defaultClientConditions] },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
    chunkSizeWarningLimit: 700,
  },
})
