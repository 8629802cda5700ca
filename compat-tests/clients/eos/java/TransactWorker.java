// Consume, transform, produce on Kafka's own Java clients; its lines are described in worker.py, next to pipeline.py.
// Arguments: HOST:PORT INPUT OUTPUT GROUP TRANSACTIONAL_ID PROCESS PROTOCOL, the protocol classic or consumer.

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.StringJoiner;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

public class TransactWorker implements ConsumerRebalanceListener {
    private static final double ABORTS = 0.1;  // the part of the transactions that the worker gives up by itself
    private static volatile boolean stopped = false;

    private final String input, output, group, process;
    private final KafkaConsumer<String, String> consumer;
    private final KafkaProducer<String, String> producer;
    private final Random random = new Random();

    public static void main(String[] arguments) {
        Thread main = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            stopped = true;
            try {
                main.join();
            } catch (InterruptedException ignored) {
            }
        }));
        try {
            new TransactWorker(arguments).work();
        } catch (RuntimeException fatal) {
            tell("note", text("text", String.valueOf(fatal)));
            Runtime.getRuntime().halt(3);
        }
    }

    private TransactWorker(String[] arguments) {
        input = arguments[1];
        output = arguments[2];
        group = arguments[3];
        process = arguments[5];
        Properties settings = new Properties();
        settings.put("bootstrap.servers", arguments[0]);
        settings.put("client.id", process);
        settings.put("transactional.id", arguments[4]);
        settings.put("transaction.timeout.ms", "15000");
        producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
        settings = new Properties();
        settings.put("bootstrap.servers", arguments[0]);
        settings.put("client.id", process);
        settings.put("group.id", group);
        settings.put("group.protocol", arguments[6]);
        settings.put("isolation.level", "read_committed");
        settings.put("enable.auto.commit", "false");
        settings.put("auto.offset.reset", "earliest");
        settings.put("max.poll.records", "50");
        if (arguments[6].equals("classic")) {
            settings.put("session.timeout.ms", "6000");
            settings.put("heartbeat.interval.ms", "1000");
        }
        consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
    }

    private void work() {
        insist(producer::initTransactions);
        consumer.subscribe(List.of(input), this);
        for (int number = 1; !stopped; ) {
            List<ConsumerRecord<String, String>> records = new ArrayList<>();
            consumer.poll(Duration.ofMillis(200)).forEach(records::add);
            if (records.isEmpty()) {
                continue;
            }
            String txn = process + "." + number++;
            try {
                transact(txn, records);
            } catch (ProducerFencedException | InvalidProducerEpochException | FencedInstanceIdException fenced) {
                throw fenced;
            } catch (KafkaException error) {
                tell("note", text("text", String.valueOf(error)));
                abort(txn);
            }
        }
        consumer.close();
        producer.close();
    }

    private void transact(String txn, List<ConsumerRecord<String, String>> records) {
        tell("begin", text("txn", txn));
        StringJoiner rows = new StringJoiner(",", "[", "]");
        Map<TopicPartition, OffsetAndMetadata> following = new HashMap<>();
        for (ConsumerRecord<String, String> one : records) {
            rows.add("[\"" + one.topic() + "\"," + one.partition() + "," + one.offset() + ",\"" + one.value() + "\"]");
            following.put(new TopicPartition(one.topic(), one.partition()), new OffsetAndMetadata(one.offset() + 1));
        }
        tell("poll", text("txn", txn), "\"records\":" + rows);
        producer.beginTransaction();
        for (ConsumerRecord<String, String> one : records) {
            String value = one.value() + "@" + txn;
            tell("send", text("txn", txn), text("topic", output), text("value", value));
            producer.send(new ProducerRecord<>(output, one.value(), value), (written, error) -> {
                if (error == null) {
                    tell("acked", text("value", value), text("topic", output), "\"partition\":" + written.partition(), "\"offset\":" + written.offset());
                }
            });
        }
        StringJoiner positions = new StringJoiner(",", "[", "]");
        following.forEach((at, next) -> positions.add("[\"" + at.topic() + "\"," + at.partition() + "," + next.offset() + "]"));
        tell("offsets", text("txn", txn), text("group", group), "\"offsets\":" + positions);
        insist(() -> producer.sendOffsetsToTransaction(following, consumer.groupMetadata()));
        producer.flush();  // every acknowledgement is told before the end, and what aborts is in the log
        if (random.nextDouble() < ABORTS) {
            abort(txn);
            return;
        }
        tell("commit", text("txn", txn));
        insist(producer::commitTransaction);
        tell("committed", text("txn", txn));
    }

    private void abort(String txn) {
        tell("abort", text("txn", txn));
        insist(producer::abortTransaction);
        tell("aborted", text("txn", txn));
        tell("assign");
        Map<TopicPartition, OffsetAndMetadata> committed = consumer.committed(consumer.assignment());
        for (TopicPartition one : consumer.assignment()) {
            consumer.seek(one, committed.get(one) == null ? 0 : committed.get(one).offset());
        }
    }

    /** Repeats what timed out: it may have happened, and the same call again finds out. */
    private static void insist(Runnable call) {
        while (true) {
            try {
                call.run();
                return;
            } catch (TimeoutException error) {
                tell("note", text("text", String.valueOf(error)));
                if (stopped) {
                    throw error;
                }
            }
        }
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
        tell("assign");
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
        tell("assign");
    }

    private static String text(String name, String value) {
        return "\"" + name + "\":\"" + value.replace("\\", "\\\\").replace("\"", "'").replace("\n", " ").replace("\t", " ") + "\"";
    }

    private static void tell(String op, String... fields) {
        Instant now = Instant.now();
        String head = String.format("{\"time\":%d.%06d,\"op\":\"%s\"", now.getEpochSecond(), now.getNano() / 1000, op);
        String line = fields.length == 0 ? head + "}" : head + "," + String.join(",", fields) + "}";
        synchronized (System.out) {
            System.out.println(line);
            System.out.flush();
        }
    }
}
