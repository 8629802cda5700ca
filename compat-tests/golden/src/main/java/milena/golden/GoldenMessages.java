package milena.golden;

import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Random;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;

/**
 * GoldenMessages SEED ROUNDS: prints `MESSAGE VERSION HEX` for random instances of every message at every version,
 * encoded by Kafka's own classes.
 */
public final class GoldenMessages {
  private GoldenMessages() {}

  public static void main(String[] args) throws Exception {
    long seed = Long.parseLong(args[0]);
    int rounds = Integer.parseInt(args[1]);
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.US_ASCII);
    for (Catalog.Entry entry : Catalog.all()) {
      // A seed per message: what a new message prints does not change the others.
      Filler filler = new Filler(new Random(seed * 31 + entry.name().hashCode()));
      Message probe = entry.create();
      for (short version = probe.lowestSupportedVersion(); version <= probe.highestSupportedVersion(); version++) {
        for (int round = 0; round < rounds; round++) {
          Message message = entry.create();
          filler.fill(message, version);
          out.println(entry.name() + " " + version + " " + HexFormat.of().formatHex(encode(message, version)));
        }
      }
    }
    out.flush();
  }

  private static byte[] encode(Message message, short version) {
    ObjectSerializationCache cache = new ObjectSerializationCache();
    ByteBuffer buffer = ByteBuffer.allocate(message.size(cache, version));
    message.write(new ByteBufferAccessor(buffer), cache, version);
    if (buffer.hasRemaining()) throw new IllegalStateException(message + " is shorter than it said");
    return buffer.array();
  }
}
