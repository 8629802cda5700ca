package milena.batches;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.internal.DefaultRecordBatch;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;

/** What a batch says, on one line; protocol/testing/batch_text.cc writes the same. */
final class BatchText {
  private BatchText() {}

  static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }

  static byte[] bytes(String hex) {
    return HexFormat.of().parseHex(hex);
  }

  static String of(byte[] bytes) {
    return of(MemoryRecords.readableRecords(ByteBuffer.wrap(bytes)).batches().iterator().next());
  }

  static String of(MutableRecordBatch batch) {
    StringBuilder text = new StringBuilder();
    text.append("offsets=").append(batch.baseOffset()).append("..").append(batch.lastOffset());
    text.append(" leader_epoch=").append(batch.partitionLeaderEpoch());
    text.append(" codec=").append(batch.compressionType().name);
    text.append(" time=").append(batch.timestampType().name);
    text.append(" max_timestamp=").append(batch.maxTimestamp());
    text.append(" producer=").append(batch.producerId()).append('/').append(batch.producerEpoch());
    boolean sequenced = batch.baseSequence() >= 0;
    text.append('/').append(sequenced ? batch.baseSequence() + ".." + batch.lastSequence() : "-1..-1");
    text.append(batch.isTransactional() ? " transactional" : "").append(batch.isControlBatch() ? " control" : "");
    batch.deleteHorizonMs().ifPresent(horizon -> text.append(" delete_horizon=").append(horizon));
    text.append(((DefaultRecordBatch) batch).isValid() ? " sound" : " broken");
    for (Record record : batch) {
      text.append(" | ").append(record.offset()).append(' ').append(record.timestamp());
      text.append(' ').append(nullable(record.key())).append(' ').append(nullable(record.value()));
      for (Header header : record.headers()) {
        text.append(' ').append(hex(header.key().getBytes(StandardCharsets.UTF_8))).append(':');
        text.append(header.value() == null ? "null" : hex(header.value()));
      }
    }
    return text.toString();
  }

  private static String nullable(ByteBuffer buffer) {
    if (buffer == null) return "null";
    byte[] bytes = new byte[buffer.remaining()];
    buffer.duplicate().get(bytes);
    return "=" + hex(bytes);
  }
}
