// Prints what a worker does, in the format of compat-tests/checker, and reads its arguments (worker.py).

// The histories of several processes are put in order by their times, so these must agree to less than a millisecond.
// Date.now() is cut to milliseconds, and performance.timeOrigin is tens of them off when the process started slowly: the
// largest difference of the two clocks that was ever seen is the true one, nearly.
let epochOfPerformanceClock = -Infinity

function wallClockMs() {
  const whole = Date.now()
  const precise = performance.now()
  epochOfPerformanceClock = Math.max(epochOfPerformanceClock, whole - precise)
  return epochOfPerformanceClock + precise
}

for (const until = performance.now() + 5; performance.now() < until;) wallClockMs()

export const [address, input, output, group, transactionalId, process_, protocol] = process.argv.slice(2)

export function tell (op, fields = {}) {
  const time = wallClockMs() / 1000
  process.stdout.write(`${JSON.stringify({ time, op, ...fields })}\n`)
}

export const note = trouble => tell('note', { text: String(trouble?.message ?? trouble) })

// SIGTERM: `close`, then the end.
export function onStop (close) {
  process.once('SIGTERM', async () => {
    await close()
    process.exit(0)
  })
}

let number = 0

// One transaction; each method is told before what it names is asked for, those in the past tense when it is certain.
export class Txn {
  #producer // its transactional id

  constructor (producer) {
    this.#producer = producer
    this.txn = `${process_}.${++number}`
    this.#tell('begin')
  }

  consumed (records) { this.#tell('poll', { records }) }
  sends (consumed) {
    const value = `${consumed}@${this.txn}`
    this.#tell('send', { topic: output, producer: this.#producer, value })
    return value
  }

  offset (partition, next) { this.#tell('offsets', { group, offsets: [[input, partition, next]] }) }
  commits () { this.#tell('commit') }
  committed () { this.#tell('committed') }
  aborts () { this.#tell('abort') }
  aborted () { this.#tell('aborted') }

  #tell (op, fields) { tell(op, { txn: this.txn, ...fields }) }
}
