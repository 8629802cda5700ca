// A group member on @platformatic/kafka. When the broker goes, its stream ends with an error: the program joins anew.

import { Consumer, MessagesStreamFallbackModes, MessagesStreamModes } from '@platformatic/kafka'
import { address, committed, group, name, note, onStop, owns, pause, record, topic } from './lines.mjs'

let consumer
let stopped = false

onStop(async () => {
  stopped = true
  await consumer?.close(true).catch(note)
})

function create () {
  const created = new Consumer({
    groupId: group,
    clientId: name,
    bootstrapBrokers: [address],
    sessionTimeout: 6000,
    heartbeatInterval: 1000,
    rebalanceTimeout: 30000
  })
  created.on('consumer:group:join', ({ assignments }) => {
    owns((assignments ?? []).filter(one => one.topic === topic).flatMap(one => one.partitions))
  })
  created.on('consumer:group:rebalance', () => owns([]))
  created.on('error', note)
  return created
}

async function follow () {
  consumer = create()
  const stream = await consumer.consume({
    topics: [topic],
    mode: MessagesStreamModes.COMMITTED,
    fallbackMode: MessagesStreamFallbackModes.EARLIEST,
    autocommit: false,
    maxWaitTime: 200
  })
  for await (const message of stream) {
    record(message.partition, message.offset)
    await message.commit()
    committed(message.partition, message.offset + 1n)
  }
}

while (!stopped) {
  try {
    await follow()
  } catch (error) {
    note(error)
  }
  if (!stopped) {
    await consumer.close(true).catch(note)
    owns([])
    await pause(500)
  }
}
