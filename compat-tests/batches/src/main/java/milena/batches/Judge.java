package milena.batches;

import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.DefaultRecordBatch;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.requests.ProduceRequest;
import org.apache.kafka.common.utils.BufferSupplier;
import org.apache.kafka.common.utils.PrimitiveRef;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.LogValidator;
import org.apache.kafka.storage.internals.log.RecordValidationException;

/**
 * What a Kafka leader makes of a produced batch: the way of ProduceRequest, UnifiedLog and LogValidator.
 *
 * VERDICT is `ok TEXT` with the batch as it would be stored, or `error CODE INDEX,INDEX...` (`-` for no index).
 * RULES: produce version,compacted,LogAppendTime,before max,after max,max.message.bytes,compression.type.
 */
final class Judge {
  private Judge() {}

  private static final long NOW = 1_700_000_000_000L;

  static String verdict(String rules, byte[] bytes) {
    try {
      return "ok " + judged(rules.split(","), bytes);
    } catch (RecordValidationException e) {
      return "error " + Errors.forException(e.invalidException()).code() + " "
          + e.recordErrors().stream().map(r -> String.valueOf(r.batchIndex)).collect(Collectors.joining(","));
    } catch (Throwable e) {
      return "error " + Errors.forException(e).code() + " -";
    }
  }

  private static String judged(String[] rules, byte[] bytes) {
    MemoryRecords received = MemoryRecords.readableRecords(ByteBuffer.wrap(bytes));
    ProduceRequest.validateRecords(Short.parseShort(rules[0]), received);
    MutableRecordBatch first = received.batches().iterator().next();
    int limit = Integer.parseInt(rules[5]);
    if (first.baseOffset() != 0) throw new InvalidRecordException("base offset");
    if (first.sizeInBytes() > limit) throw new RecordTooLargeException("received");
    if (!((DefaultRecordBatch) first).isValid()) throw new CorruptRecordException("checksum");
    CompressionType source = first.compressionType();
    Compression target = Compression.of(rules[6].equals("producer") ? source : CompressionType.forName(rules[6])).build();
    MemoryRecords whole = MemoryRecords.readableRecords(ByteBuffer.wrap(Arrays.copyOf(bytes, first.sizeInBytes())));
    LogValidator validator = new LogValidator(whole, new TopicPartition("t", 0), clock(), source, target,
        rules[1].equals("1"), RecordBatch.MAGIC_VALUE_V2,
        rules[2].equals("1") ? TimestampType.LOG_APPEND_TIME : TimestampType.CREATE_TIME,
        Long.parseLong(rules[3]), Long.parseLong(rules[4]), first.partitionLeaderEpoch(), AppendOrigin.CLIENT);
    MemoryRecords stored = validator.validateMessagesAndAssignOffsets(
        PrimitiveRef.ofLong(0), quiet(LogValidator.MetricsRecorder.class), BufferSupplier.create()).validatedRecords();
    MutableRecordBatch batch = stored.batches().iterator().next();
    if (batch.sizeInBytes() > limit) throw new RecordTooLargeException("stored");
    return BatchText.of(batch);
  }

  private static Time clock() {
    return (Time) Proxy.newProxyInstance(Judge.class.getClassLoader(), new Class<?>[] {Time.class},
        (proxy, method, args) -> method.getName().equals("milliseconds") ? NOW : 0L);
  }

  private static <T> T quiet(Class<T> type) {
    return type.cast(Proxy.newProxyInstance(
        Judge.class.getClassLoader(), new Class<?>[] {type}, (proxy, method, args) -> null));
  }
}
