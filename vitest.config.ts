import { configDefaults, defineConfig } from 'vitest/config'

const rooms = [
  ...['archive', 'capture', 'context', 'erasure', 'events', 'failures', 'http', 'log', 'models', 'options'],
  ...['partitions', 'reader', 'reads', 'retention', 'seal', 'search', 'sinks', 'time-travel'],
  ...['transactions', 'values'],
]

/**
 * Files that share their workers: what they import is loaded once in each, and not for every file. `statements` measures the
 * memory of its worker.
 */
const sharing = `test/{${rooms}}/**/!(statements).test.ts`

const exclude = [...configDefaults.exclude, 'test/bundlers/**']

const common = {
  setupFiles: ['all', 'half'].includes(process.env.AUDIT_WATCHED ?? '')
    ? ['test/support/watched-set-up.ts']
    : [],
  testTimeout: 30_000,
  hookTimeout: 60_000,
}

export default defineConfig({
  test: {
    globalSetup: 'test/support/server.ts',
    maxWorkers: 2,
    projects: [
      {
        test: {
          ...{ ...common, name: 'sharing', isolate: false },
          include: [sharing],
          exclude,
        },
      },
      {
        test: {
          ...{ ...common, name: 'isolated' },
          include: ['test/**/*.test.ts'],
          exclude: [...exclude, sharing],
        },
      },
    ],
  },
})
