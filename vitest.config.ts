import { configDefaults, defineConfig } from 'vitest/config'

const rooms = [
  ...['archive', 'capture', 'context', 'contract', 'erasure', 'events', 'failures', 'http', 'log', 'models'],
  ...['options', 'oracle', 'partitions', 'prisma-7', 'reader', 'reads', 'retention', 'seal', 'search'],
  ...['sinks', 'time-travel', 'transactions', 'triggers', 'values'],
]

/**
 * Files that share their workers: what they import is loaded once in each, and not for every file. `statements` measures the
 * memory of its worker, and `without-parser` sees what is loaded in it.
 */
const sharing = `test/{${rooms}}/**/!(statements|without-parser).test.ts`

const exclude = [...configDefaults.exclude, 'test/bundlers/**']

const common = {
  setupFiles: ['all', 'half'].includes(process.env.AUDIT_WATCHED ?? '')
    ? ['test/support/watched-set-up.ts']
    : [],
  unstubEnvs: true,
  testTimeout: 60_000,
  hookTimeout: 60_000,
  expect: { poll: { timeout: 15_000 } },
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
