// Transactions one after the other on Kafka's Java producer (TV2), each open for a given time; prints how long every
// commit took, in microseconds, one a line. The first seconds warm up and print nothing.
// Arguments: HOST:PORT TOPIC PARTITIONS OPEN_MS WARM_UP_S SECONDS.

import java.util.Properties;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public class TransactionLoad {
    public static void main(String[] arguments) {
        int partitions = Integer.parseInt(arguments[2]);
        long open = Long.parseLong(arguments[3]) * 1_000_000;
        Properties settings = new Properties();
        settings.put("bootstrap.servers", arguments[0]);
        settings.put("transactional.id", "bench-java-" + arguments[3]);
        settings.put("linger.ms", "0");
        byte[] value = new byte[100];
        StringBuilder took = new StringBuilder();
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            producer.initTransactions();
            long warm = System.nanoTime() + Long.parseLong(arguments[4]) * 1_000_000_000;
            long end = warm + Long.parseLong(arguments[5]) * 1_000_000_000;
            for (long now = System.nanoTime(); now < end; now = System.nanoTime()) {
                producer.beginTransaction();
                int sent = 0;
                do {
                    producer.send(new ProducerRecord<>(arguments[1], sent++ % partitions, null, value));
                    LockSupport.parkNanos(open > 0 ? 1_000_000 : 0);
                } while (System.nanoTime() - now < open);
                long asked = System.nanoTime();
                producer.flush();  // 4.3.1 may ask for the end before it has sent a record that came a moment ago
                producer.commitTransaction();
                if (now >= warm) {
                    took.append((System.nanoTime() - asked) / 1000).append('\n');
                }
            }
        }
        System.out.print(took);
    }
}
