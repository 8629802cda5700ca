package milena.batches;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.message.LeaderChangeMessage;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.ByteBufferOutputStream;

/** Batches of every kind that Kafka writes. */
final class RandomBatches {
  private RandomBatches() {}

  private static final long NOW = 1_700_000_000_000L;

  static byte[] next(Random random) {
    int kind = random.nextInt(12);
    if (kind == 0) return marker(random);
    if (kind == 1) return leaderChange(random);
    return data(random);
  }

  private static byte[] marker(Random random) {
    ControlRecordType type = random.nextBoolean() ? ControlRecordType.COMMIT : ControlRecordType.ABORT;
    return array(MemoryRecords.withEndTransactionMarker(random.nextInt(1000), NOW, random.nextInt(9),
        random.nextInt(1 << 20), (short) random.nextInt(100), new EndTransactionMarker(type, random.nextInt(50))));
  }

  private static byte[] leaderChange(Random random) {
    LeaderChangeMessage message = new LeaderChangeMessage().setLeaderId(random.nextInt(9))
        .setVoters(List.of(new LeaderChangeMessage.Voter().setVoterId(1)));
    return array(MemoryRecords.withLeaderChangeMessage(
        random.nextInt(1000), NOW, random.nextInt(9), ByteBuffer.allocate(256), message));
  }

  private static byte[] data(Random random) {
    boolean stamped = random.nextInt(4) == 0;
    boolean idempotent = random.nextInt(3) == 0;
    boolean horizon = random.nextInt(8) == 0;
    // Around the last sequence, where it wraps.
    int sequence = random.nextInt(4) == 0 ? Integer.MAX_VALUE - random.nextInt(3) : random.nextInt(1000);
    MemoryRecordsBuilder builder = new MemoryRecordsBuilder(new ByteBufferOutputStream(512),
        RecordBatch.MAGIC_VALUE_V2, compression(random),
        stamped ? TimestampType.LOG_APPEND_TIME : TimestampType.CREATE_TIME,
        random.nextInt(3) == 0 ? 0 : random.nextInt(1 << 30), NOW + 77,
        idempotent ? random.nextInt(1 << 20) : RecordBatch.NO_PRODUCER_ID,
        idempotent ? (short) random.nextInt(100) : RecordBatch.NO_PRODUCER_EPOCH,
        idempotent ? sequence : RecordBatch.NO_SEQUENCE, idempotent && random.nextBoolean(), false,
        random.nextInt(5) - 1, 1 << 20, horizon ? NOW - 5000 : RecordBatch.NO_TIMESTAMP);
    for (int records = 1 + random.nextInt(6); records > 0; records--) {
      Header[] headers = new Header[random.nextInt(3) == 0 ? random.nextInt(3) : 0];
      for (int i = 0; i < headers.length; i++) headers[i] = new RecordHeader("h\u00e9" + i, bytes(random, 9));
      builder.append(NOW + random.nextInt(2000) - 1000, bytes(random, 12), bytes(random, 60), headers);
    }
    return array(builder.build());
  }

  private static Compression compression(Random random) {
    CompressionType type = CompressionType.forId(random.nextInt(5));
    return switch (type) {
      case GZIP -> Compression.gzip().level(1 + random.nextInt(9)).build();
      case LZ4 -> Compression.lz4().level(1 + random.nextInt(17)).build();
      case ZSTD -> Compression.zstd().level(random.nextInt(24) - 1).build();
      default -> Compression.of(type).build();
    };
  }

  private static byte[] bytes(Random random, int bound) {
    if (random.nextInt(5) == 0) return null;
    byte[] bytes = new byte[random.nextInt(bound)];
    random.nextBytes(bytes);
    if (random.nextBoolean()) java.util.Arrays.fill(bytes, (byte) 'x');
    return bytes;
  }

  private static byte[] array(MemoryRecords records) {
    byte[] bytes = new byte[records.sizeInBytes()];
    records.buffer().duplicate().get(bytes);
    return bytes;
  }
}
