import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A chunk on its way, and when it arrives. */
interface Delivery {
  readonly due: number
  readonly to: Socket
  readonly chunk: Buffer
}

const [port, delay] = process.argv.slice(2).map(Number) as [number, number]
const onTheWay: Delivery[] = []

/** Timers are exact to a millisecond at best, so a chunk on its way is waited for actively. */
function deliver(): void {
  while (onTheWay[0] && onTheWay[0].due <= performance.now()) {
    const { to, chunk } = onTheWay.shift() as Delivery
    to.write(chunk)
  }
  if (onTheWay.length > 0) setImmediate(deliver)
}

function pass(from: Socket, to: Socket): void {
  from.setNoDelay(true)
  from.on('data', (chunk) => {
    onTheWay.push({ due: performance.now() + delay, to, chunk })
    if (onTheWay.length === 1) deliver()
  })
  from.on('close', () => to.destroy())
  from.on('error', () => to.destroy())
}

const server = createServer((client) => {
  const database = connect(port, '127.0.0.1')
  pass(client, database)
  pass(database, client)
})
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.on('disconnect', () => process.exit())
