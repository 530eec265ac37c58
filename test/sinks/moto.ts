import { afterAll } from 'vitest'
import { hasMoto, type Moto, startMoto as startServer } from '../../scripts/moto.ts'

/** Why the tests that need moto are skipped; undefined where it is installed. */
export const withoutMoto = hasMoto() ? undefined : 'moto_server is not installed: pip install "moto[server]"'

/** Starts a server of the calling file's own, ended after its tests. Not to be called inside of one: then nobody ends it. */
export async function startMoto(): Promise<Moto> {
  const moto = await startServer()
  afterAll(() => moto.stop())
  return moto
}
