package milena.golden;

import java.lang.reflect.Constructor;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.message.AbortedTxn;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.message.ConsumerProtocolAssignment;
import org.apache.kafka.common.message.ConsumerProtocolSubscription;
import org.apache.kafka.common.message.ControlRecordTypeSchema;
import org.apache.kafka.common.message.DefaultPrincipalData;
import org.apache.kafka.common.message.EndTxnMarker;
import org.apache.kafka.common.message.KRaftVersionRecord;
import org.apache.kafka.common.message.LeaderChangeMessage;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.message.SnapshotFooterRecord;
import org.apache.kafka.common.message.SnapshotHeaderRecord;
import org.apache.kafka.common.message.VotersRecord;
import org.apache.kafka.common.metadata.MetadataRecordType;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.raft.generated.QuorumStateData;

/** Every message class that this release of Kafka generates for its protocol and its logs. */
final class Catalog {
  private Catalog() {}

  /** A message class under the name of its schema. */
  record Entry(String name, Class<? extends Message> type) {
    Message create() throws ReflectiveOperationException {
      Constructor<? extends Message> constructor = type.getDeclaredConstructor();
      return constructor.newInstance();
    }
  }

  private static final List<Class<? extends Message>> DATA = List.of(
      AbortedTxn.class, ConsumerProtocolAssignment.class, ConsumerProtocolSubscription.class,
      ControlRecordTypeSchema.class,
      DefaultPrincipalData.class, EndTxnMarker.class, KRaftVersionRecord.class, LeaderChangeMessage.class,
      QuorumStateData.class, SnapshotFooterRecord.class, SnapshotHeaderRecord.class, VotersRecord.class);

  static List<Entry> all() {
    List<Entry> entries = new ArrayList<>();
    for (ApiMessageType api : ApiMessageType.values()) {
      if (api.highestSupportedVersion(true) < api.lowestSupportedVersion()) continue;
      entries.add(withoutData(api.newRequest()));
      entries.add(withoutData(api.newResponse()));
    }
    entries.add(withoutData(new RequestHeaderData()));
    entries.add(withoutData(new ResponseHeaderData()));
    for (MetadataRecordType type : MetadataRecordType.values()) entries.add(entry(type.newMetadataRecord()));
    for (var type : org.apache.kafka.coordinator.group.generated.CoordinatorRecordType.values()) {
      entries.add(entry(type.newRecordKey()));
      entries.add(entry(type.newRecordValue()));
    }
    for (var type : org.apache.kafka.coordinator.transaction.generated.CoordinatorRecordType.values()) {
      entries.add(entry(type.newRecordKey()));
      entries.add(entry(type.newRecordValue()));
    }
    for (var type : org.apache.kafka.coordinator.share.generated.CoordinatorRecordType.values()) {
      entries.add(entry(type.newRecordKey()));
      entries.add(entry(type.newRecordValue()));
    }
    for (Class<? extends Message> type : DATA) entries.add(new Entry(type.getSimpleName(), type));
    return entries;
  }

  private static Entry entry(Message message) {
    return new Entry(message.getClass().getSimpleName(), message.getClass());
  }

  /** Kafka appends "Data" to the class names of requests, responses and headers. */
  private static Entry withoutData(Message message) {
    String name = message.getClass().getSimpleName();
    return new Entry(name.substring(0, name.length() - "Data".length()), message.getClass());
  }
}
