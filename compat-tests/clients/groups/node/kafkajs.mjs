// A group member on kafkajs, whose one assignor deals partitions out in turn.

import { Kafka, logLevel } from 'kafkajs'
import { address, committed, group, name, note, onStop, owns, record, topic } from './lines.mjs'

const kafka = new Kafka({ clientId: name, brokers: [address], logLevel: logLevel.NOTHING, retry: { retries: 100, maxRetryTime: 1000 } })
const consumer = kafka.consumer({ groupId: group, sessionTimeout: 6000, heartbeatInterval: 1000, rebalanceTimeout: 30000, maxWaitTimeInMs: 200 })

consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => owns(payload.memberAssignment[topic] ?? []))
consumer.on(consumer.events.REBALANCING, () => owns([]))
consumer.on(consumer.events.CRASH, ({ payload }) => note(payload.error))
onStop(() => consumer.disconnect())

async function eachBatch ({ batch, heartbeat, isRunning, isStale }) {
  if (!isRunning() || isStale()) {
    return
  }
  for (const message of batch.messages) {
    record(batch.partition, message.offset)
  }
  const next = String(Number(batch.lastOffset()) + 1)
  await heartbeat()
  await consumer.commitOffsets([{ topic, partition: batch.partition, offset: next }])
  committed(batch.partition, next)
}

await consumer.connect()
await consumer.subscribe({ topics: [topic], fromBeginning: true })
await consumer.run({ autoCommit: false, eachBatch })
