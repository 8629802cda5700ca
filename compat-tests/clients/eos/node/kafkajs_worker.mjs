// Consume, transform, produce on kafkajs.
//
// kafkajs tells the broker nothing of the group when it commits offsets in a transaction, so a group member that was
// replaced is not fenced by that. It is by its producer: each input partition has one transactional id, whoever owns it.

import { Kafka, logLevel } from 'kafkajs'
import { Txn, address, group, input, note, onStop, output, process_, tell } from './history.mjs'

const ABORTS = 0.1 // the part of the transactions that the worker gives up by itself

const kafka = new Kafka({ clientId: process_, brokers: [address], logLevel: logLevel.NOTHING, retry: { retries: 100, maxRetryTime: 1000 } })
const consumer = kafka.consumer({ groupId: group, sessionTimeout: 6000, heartbeatInterval: 1000, rebalanceTimeout: 30000, maxWaitTimeInMs: 200, maxBytesPerPartition: 4096, readUncommitted: false })
const admin = kafka.admin()
const producers = new Map() // partition: its producer, while the partition is ours

const idOf = partition => `${group}-${partition}`

async function letGo () {
  tell('assign')
  const old = [...producers.values()]
  producers.clear()
  await Promise.all(old.map(producer => producer.disconnect().catch(note)))
}

consumer.on(consumer.events.GROUP_JOIN, letGo)
consumer.on(consumer.events.REBALANCING, letGo)
consumer.on(consumer.events.CRASH, ({ payload }) => note(payload.error))
onStop(() => consumer.disconnect())

// Fences the owner before; that one may have committed after our position was fetched. Null if so: we have gone there.
async function producerFor (partition, position) {
  if (producers.has(partition)) {
    return producers.get(partition)
  }
  const producer = kafka.producer({ transactionalId: idOf(partition), idempotent: true, maxInFlightRequests: 1, transactionTimeout: 15000 })
  await producer.connect()
  await (await producer.transaction()).abort() // kafkajs asks for its producer id, which fences, no earlier
  const [topic] = await admin.fetchOffsets({ groupId: group, topics: [input] })
  const committed = Number(topic.partitions.find(one => one.partition === partition).offset)
  if (committed >= 0 && committed !== position) {
    note(`partition ${partition} goes on at ${committed}, not at ${position}`)
    await producer.disconnect()
    goTo(partition, committed)
    return null
  }
  producers.set(partition, producer)
  return producer
}

function goTo (partition, offset) {
  tell('assign')
  consumer.seek({ topic: input, partition, offset: String(offset) })
}

async function eachBatch ({ batch, heartbeat, isRunning, isStale }) {
  if (!isRunning() || isStale() || batch.isEmpty()) {
    return
  }
  const first = Number(batch.messages[0].offset)
  const producer = await producerFor(batch.partition, first)
  if (producer === null) {
    return
  }
  await heartbeat()
  try {
    await transact(producer, batch.partition, batch.messages)
  } catch (error) {
    note(error)
    producers.delete(batch.partition)
    await producer.disconnect().catch(note)
    goTo(batch.partition, first) // the next producer finds out where it really goes on
  }
}

async function transact (producer, partition, messages) {
  const txn = new Txn(idOf(partition))
  txn.consumed(messages.map(one => [input, partition, Number(one.offset), one.value.toString()]))
  const transaction = await producer.transaction()
  try {
    const sent = messages.map(one => ({ key: one.value, value: txn.sends(one.value) }))
    await transaction.send({ topic: output, acks: -1, messages: sent })
    const next = Number(messages.at(-1).offset) + 1
    txn.offset(partition, next)
    await transaction.sendOffsets({ consumerGroupId: group, topics: [{ topic: input, partitions: [{ partition, offset: String(next) }] }] })
    if (Math.random() < ABORTS) {
      throw new Error('given up on purpose')
    }
  } catch (error) {
    txn.aborts()
    await transaction.abort()
    txn.aborted()
    throw error
  }
  txn.commits()
  await transaction.commit()
  txn.committed()
}

await admin.connect()
await consumer.connect()
await consumer.subscribe({ topics: [input], fromBeginning: true })
await consumer.run({ autoCommit: false, eachBatch })
