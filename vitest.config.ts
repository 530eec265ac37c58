import { configDefaults, defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, 'test/bundlers/**'],
    globalSetup: 'test/support/server.ts',
    setupFiles: ['all', 'half'].includes(process.env.AUDIT_WATCHED ?? '')
      ? ['test/support/watched-set-up.ts']
      : [],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
  },
})
