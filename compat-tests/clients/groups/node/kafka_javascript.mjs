// A group member on @confluentinc/kafka-javascript (librdkafka), through its promises.

import client from '@confluentinc/kafka-javascript'
import { address, committed, group, name, note, onStop, owns, record, strategy, topic } from './lines.mjs'

const { Kafka, ErrorCodes } = client.KafkaJS
const owned = new Set()

const consumer = new Kafka({ 'bootstrap.servers': address, log_level: 0 }).consumer({
  'group.id': group,
  'client.id': name,
  'auto.offset.reset': 'earliest',
  'enable.auto.commit': false,
  'session.timeout.ms': 6000,
  'heartbeat.interval.ms': 1000,
  'partition.assignment.strategy': strategy,
  rebalance_cb: (event, assignment) => {
    for (const { partition } of assignment) {
      if (event.code === ErrorCodes.ERR__ASSIGN_PARTITIONS) {
        owned.add(partition)
      } else {
        owned.delete(partition)
      }
    }
    owns(owned)
  }
})

onStop(() => consumer.disconnect())

async function eachMessage ({ partition, message }) {
  record(partition, message.offset)
  const next = String(Number(message.offset) + 1)
  try {
    await consumer.commitOffsets([{ topic, partition, offset: next }])
    committed(partition, next)
  } catch (error) { // a rebalance came between, or the broker is away
    note(error)
  }
}

await consumer.connect()
await consumer.subscribe({ topics: [topic] })
await consumer.run({ eachMessage })
