import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePort } from './free-port.ts'
import { isAnswering } from './moto.ts'

/** The packages of Debian that have what is started here. */
export const cephPackages = 'radosgw ceph-mon ceph-osd ceph-common'

/** A store of Ceph that speaks S3, with one user. */
export interface Ceph {
  readonly endpoint: string
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  stop(): Promise<void>
}

const run = promisify(execFile)

/** Whether Ceph is installed. */
export async function hasCeph(): Promise<boolean> {
  const programs = ['radosgw', 'ceph-mon', 'ceph-osd', 'ceph', 'radosgw-admin', 'monmaptool']
  const found = await Promise.allSettled(programs.map((program) => run(program, ['--version'])))
  return found.every((program) => program.status === 'fulfilled' || program.reason.code !== 'ENOENT')
}

/**
 * Starts a cluster of one monitor, one store that is in memory, and a gateway. Everything is in a directory of its own, and gone
 * once it is stopped.
 *
 * @throws Error that has the end of what the program wrote that did not start
 */
export async function startCeph(): Promise<Ceph> {
  const directory = await mkdtemp(join(tmpdir(), 'audit-ceph-'))
  const [monitorPort, gatewayPort] = [await freePort(), await freePort()]
  const [cluster, store] = [randomUUID(), randomUUID()]
  const path = (name: string) => join(directory, name)
  const [keyring, map] = [path('keyring'), path('monmap')]
  const daemons: ChildProcess[] = []

  const program = (name: string, ...options: string[]) =>
    run(name, [...options, '--conf', path('ceph.conf')], { timeout: 60_000 })
  const begin = (name: string, ...options: string[]) => {
    const output = openSync(path(`${name}.out`), 'w')
    const stdio = ['ignore', output, output] as const
    daemons.push(spawn(name, ['-f', ...options, '--conf', path('ceph.conf')], { stdio: [...stdio] }))
  }
  const addKey = (name: string, ...capabilities: string[]) =>
    run('ceph-authtool', [keyring, '--gen-key', '-n', name, ...capabilities.flatMap(capability)])
  const stop = async () => {
    for (const daemon of daemons.reverse()) {
      if (daemon.exitCode !== null || daemon.signalCode !== null) continue
      const gone = once(daemon, 'exit')
      daemon.kill('SIGKILL') // what it has is in memory
      await gone
    }
    await rm(directory, { recursive: true, force: true })
  }

  try {
    await writeFile(path('ceph.conf'), settings({ directory, cluster, monitorPort, gatewayPort }))
    await Promise.all([mkdir(path('monitor')), mkdir(path('store')), run('ceph-authtool', ['-C', keyring])])
    await addKey('mon.', 'mon')
    await addKey('client.admin', 'mon', 'osd')
    await run('monmaptool', [
      '--create',
      '--fsid',
      cluster,
      '--addv',
      'a',
      `v2:127.0.0.1:${monitorPort}`,
      map,
    ])
    await program('ceph-mon', '--mkfs', '-i', 'a', '--monmap', map, '--keyring', keyring)
    begin('ceph-mon', '-i', 'a')
    await program('ceph', 'osd', 'new', store)
    await addKey('osd.0')
    await program('ceph', 'auth', 'add', 'osd.0', 'mon', 'allow profile osd', 'osd', 'allow *', '-i', keyring)
    await program('ceph-osd', '--mkfs', '-i', '0', '--osd-uuid', store)
    begin('ceph-osd', '-i', '0')
    begin('radosgw', '-n', 'client.admin')
    const endpoint = `http://127.0.0.1:${gatewayPort}`
    await untilAnswered(endpoint, daemons)
    const [accessKeyId, secretAccessKey] = ['audit', randomUUID()]
    const keys = ['--access-key', accessKeyId, '--secret-key', secretAccessKey]
    await program('radosgw-admin', 'user', 'create', '--uid', 'audit', '--display-name', 'audit', ...keys)
    return { endpoint, credentials: { accessKeyId, secretAccessKey }, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function capability(name: string): string[] {
  return ['--cap', name, 'allow *']
}

function settings(given: { directory: string; cluster: string; monitorPort: number; gatewayPort: number }) {
  const { directory, cluster, monitorPort, gatewayPort } = given
  return `[global]
fsid = ${cluster}
mon_host = v2:127.0.0.1:${monitorPort}
public_addr = 127.0.0.1
keyring = ${directory}/keyring
run_dir = ${directory}
admin_socket = ${directory}/$name.$pid.asok
log_file = ${directory}/$name.log
mon_data = ${directory}/monitor
mon_data_avail_crit = 1
osd_data = ${directory}/store
osd_objectstore = memstore
memstore_device_bytes = 2147483648
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_pool_default_pgp_num = 4
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 1000
rgw_frontends = beast endpoint=127.0.0.1:${gatewayPort}
`
}

async function untilAnswered(endpoint: string, daemons: readonly ChildProcess[]): Promise<void> {
  const deadline = performance.now() + 120_000
  while (!(await isAnswering(endpoint))) {
    const ended = daemons.find(({ exitCode }) => exitCode !== null)
    if (ended) throw new Error(`${ended.spawnfile} ended with exit code ${ended.exitCode}`)
    if (performance.now() > deadline) throw new Error('the gateway did not answer within two minutes')
    await sleep(200)
  }
}
