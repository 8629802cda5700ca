package milena.golden;

import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.types.ArrayOf;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.CompactArrayOf;
import org.apache.kafka.common.protocol.types.Field;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.record.internal.MemoryRecords;

/** Fills a message with random values, but only the fields that its schema has in the version at hand. */
final class Filler {
  private final Random random;

  Filler(Random random) {
    this.random = random;
  }

  void fill(Object struct, int version) throws ReflectiveOperationException {
    Schema[] schemas = (Schema[]) struct.getClass().getField("SCHEMAS").get(null);
    for (BoundField bound : schemas[version].fields()) {
      if (bound.def.type instanceof TaggedFields tagged) {
        for (Field field : tagged.fields().values()) {
          if (random.nextBoolean()) set(struct, field, version);
        }
      } else {
        set(struct, bound.def, version);
      }
    }
  }

  private void set(Object struct, Field field, int version) throws ReflectiveOperationException {
    Method setter = setter(struct.getClass(), field.name);
    Object value = field.type.isNullable() && random.nextInt(4) == 0
        ? null
        : value(setter.getGenericParameterTypes()[0], field.type, version);
    setter.invoke(struct, value);
  }

  private static Method setter(Class<?> type, String field) throws NoSuchMethodException {
    String wanted = "set" + field.replace("_", "");
    for (Method method : type.getMethods()) {
      if (method.getParameterCount() == 1 && method.getName().equalsIgnoreCase(wanted)) return method;
    }
    throw new NoSuchMethodException(type + " has no setter of " + field);
  }

  private Object value(Type javaType, org.apache.kafka.common.protocol.types.Type wireType, int version)
      throws ReflectiveOperationException {
    if (javaType instanceof ParameterizedType list) {
      return elements(new ArrayList<>(), list.getActualTypeArguments()[0], wireType, version);
    }
    Class<?> type = (Class<?>) javaType;
    if (Collection.class.isAssignableFrom(type)) {
      Type element = ((ParameterizedType) type.getGenericSuperclass()).getActualTypeArguments()[0];
      @SuppressWarnings("unchecked")
      Collection<Object> collection = (Collection<Object>) type.getConstructor().newInstance();
      return elements(collection, element, wireType, version);
    }
    String wire = wireType.toString();
    if (type == boolean.class) return random.nextBoolean();
    if (type == byte.class || type == Byte.class) return (byte) number(Byte.MIN_VALUE, Byte.MAX_VALUE);
    if (type == short.class || type == Short.class) return (short) number(Short.MIN_VALUE, Short.MAX_VALUE);
    if (wire.equals("UINT16")) return (int) number(0, 0xffff);
    if (wire.equals("UINT32")) return number(0, 0xffffffffL);
    if (type == int.class || type == Integer.class) return (int) number(Integer.MIN_VALUE, Integer.MAX_VALUE);
    if (type == long.class || type == Long.class) return number(Long.MIN_VALUE, Long.MAX_VALUE);
    if (type == double.class) return random.nextInt(3) == 0 ? 0.0 : random.nextGaussian();
    if (type == String.class) return text();
    if (type == Uuid.class) {
      return random.nextInt(3) == 0 ? Uuid.ZERO_UUID : new Uuid(random.nextLong(), random.nextLong());
    }
    if (type == byte[].class) return bytes();
    if (type == ByteBuffer.class) return ByteBuffer.wrap(bytes());
    if (wire.endsWith("RECORDS")) return MemoryRecords.readableRecords(ByteBuffer.wrap(bytes()));
    Object struct = type.getConstructor().newInstance();
    fill(struct, version);
    return struct;
  }

  private Collection<Object> elements(Collection<Object> into, Type element,
      org.apache.kafka.common.protocol.types.Type wireType, int version) throws ReflectiveOperationException {
    var elementWireType = wireType instanceof CompactArrayOf compact
        ? compact.arrayElementType().orElseThrow()
        : ((ArrayOf) wireType).arrayElementType().orElseThrow();
    for (int left = random.nextInt(3); left > 0; left--) into.add(value(element, elementWireType, version));
    return into;
  }

  /** Extremes and small numbers often, since defaults and sentinels are among them. */
  private long number(long min, long max) {
    return switch (random.nextInt(6)) {
      case 0 -> 0;
      case 1 -> Math.max(min, -1);
      case 2 -> max;
      case 3 -> min;
      case 4 -> random.nextInt(100);
      default -> {
        long any = random.nextLong();
        yield max == Long.MAX_VALUE ? any : min + Math.floorMod(any, max - min + 1);
      }
    };
  }

  private String text() {
    List<String> letters = List.of("a", "Z", "-", "\u00e9", "\u20ac");
    StringBuilder out = new StringBuilder();
    for (int left = length(); left > 0; left--) out.append(letters.get(random.nextInt(letters.size())));
    return out.toString();
  }

  private byte[] bytes() {
    byte[] out = new byte[length()];
    random.nextBytes(out);
    return out;
  }

  /** Mostly short; sometimes long enough for a length of two bytes. */
  private int length() {
    return random.nextInt(100) == 0 ? 150 : random.nextInt(6);
  }
}
