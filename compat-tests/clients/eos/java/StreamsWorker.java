// Consume, transform, produce as a Kafka Streams application with processing.guarantee=exactly_once_v2: every record is
// counted in a store with a changelog topic, and goes on with "@" and how often its value was seen, which must be once.
// Its lines are described in worker.py, next to pipeline.py; Streams lets nobody see its transactions, so it tells none.
// Arguments: HOST:PORT INPUT OUTPUT GROUP TRANSACTIONAL_ID PROCESS PROTOCOL; WORKER_SCRATCH names the directory of its state.

import java.time.Duration;
import java.time.Instant;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

public class StreamsWorker {
    private static final String SEEN = "seen";

    public static void main(String[] arguments) throws InterruptedException {
        StreamsBuilder builder = new StreamsBuilder();
        builder.addStateStore(Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore(SEEN), Serdes.String(), Serdes.Integer()));
        builder.<byte[], String>stream(arguments[1]).processValues(Counter::new, SEEN).to(arguments[2]);
        KafkaStreams streams = new KafkaStreams(builder.build(), settings(arguments));
        streams.setUncaughtExceptionHandler(error -> {
            note(error);
            return StreamThreadExceptionResponse.REPLACE_THREAD;
        });
        CountDownLatch stopped = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            streams.close(Duration.ofSeconds(25));
            stopped.countDown();
        }));
        streams.start();
        stopped.await();
    }

    private static Properties settings(String[] arguments) {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", arguments[0]);
        settings.put("application.id", arguments[3]);
        settings.put("client.id", arguments[5]);
        settings.put("state.dir", System.getenv("WORKER_SCRATCH"));
        settings.put("processing.guarantee", "exactly_once_v2");
        settings.put("num.stream.threads", "1");
        settings.put("commit.interval.ms", "100");
        settings.put("replication.factor", "1");
        settings.put("default.key.serde", Serdes.ByteArraySerde.class);
        settings.put("default.value.serde", Serdes.StringSerde.class);
        settings.put("producer.transaction.timeout.ms", "15000");
        settings.put("consumer.auto.offset.reset", "earliest");
        settings.put("consumer.session.timeout.ms", "6000");
        settings.put("consumer.heartbeat.interval.ms", "1000");
        return settings;
    }

    private static void note(Throwable trouble) {
        Instant now = Instant.now();
        String text = String.valueOf(trouble).replace("\\", "/").replace("\"", "'").replaceAll("\\s+", " ");
        System.out.printf("{\"time\":%d.%06d,\"op\":\"note\",\"text\":\"%s\"}%n", now.getEpochSecond(), now.getNano() / 1000, text);
    }

    private static class Counter implements FixedKeyProcessor<byte[], String, String> {
        private FixedKeyProcessorContext<byte[], String> context;
        private KeyValueStore<String, Integer> seen;

        @Override
        public void init(FixedKeyProcessorContext<byte[], String> context) {
            this.context = context;
            seen = context.getStateStore(SEEN);
        }

        @Override
        public void process(FixedKeyRecord<byte[], String> one) {
            Integer before = seen.get(one.value());
            int now = before == null ? 1 : before + 1;
            seen.put(one.value(), now);
            context.forward(one.withValue(one.value() + "@" + now));
        }
    }
}
