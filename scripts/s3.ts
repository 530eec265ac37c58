// Runs the tests of S3's locks on Ceph, which is strict where the server of the other tests is not. Debian has Ceph; nothing of it
// runs on as soon as this ends. Arguments go to vitest.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { type Ceph, cephPackages, hasCeph, startCeph } from './ceph.ts'

const bucket = 'audit'
const region = 'us-east-1'

/** @returns the exit code */
async function testOn({ endpoint, credentials }: Ceph): Promise<number> {
  const client = new S3Client({ endpoint, credentials, region, forcePathStyle: true })
  await client.send(new CreateBucketCommand({ Bucket: bucket, ObjectLockEnabledForBucket: true }))
  const env = {
    ...process.env,
    ...{ AUDIT_TEST_S3_BUCKET: bucket, AUDIT_TEST_S3_ENDPOINT: endpoint, AWS_REGION: region },
    ...{ AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey },
  }
  const tests = ['vitest', 'run', 'test/sinks/s3-locks.test.ts', ...process.argv.slice(2)]
  const [code] = await once(spawn('npx', tests, { stdio: 'inherit', env }), 'exit')
  return code ?? 1
}

async function main(): Promise<number> {
  if (!(await hasCeph())) {
    process.stderr.write(
      `Ceph is not installed, so the locks were not tested. On Debian: apt-get install --no-install-recommends ${cephPackages} (about 70 MB). Elsewhere, test on Amazon's S3: see CONTRIBUTING.md.\n`,
    )
    return 1
  }
  process.stdout.write('Starting Ceph …\n')
  const ceph = await startCeph()
  try {
    return await testOn(ceph)
  } finally {
    await ceph.stop()
  }
}

process.exitCode = await main()
