// Prints what a group member does, as scenario.py describes it, and reads its arguments.

export const [address, topic, group, name, strategy] = process.argv.slice(2)

const say = (...words) => process.stdout.write(`${words.join(' ')}\n`)

export const owns = partitions => say('owns', [...partitions].sort((a, b) => a - b).join(',') || '-')
export const record = (partition, offset) => say('record', partition, offset)
export const committed = (partition, next) => say('committed', partition, next)
export const note = trouble => say('note', String(trouble?.message ?? trouble).replaceAll('\n', ' '))

// SIGTERM: `close`, and then the last line of a member that has left properly.
export function onStop (close) {
  process.once('SIGTERM', async () => {
    await close()
    process.stdout.write('left\n', () => process.exit(0))
  })
}

export const pause = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds))
