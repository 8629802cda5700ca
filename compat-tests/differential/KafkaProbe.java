// Sends single requests to brokers, encoded and decoded by Kafka's own message classes.
//
// Reads one JSON object a line: {"to": "HOST:PORT", "api": "Fetch", "version": 12, "body": {...}}, where the body has
// Kafka's field names; fields left out take Kafka's defaults, fields that the version does not have are ignored.
// Writes one JSON object a line: {"body": {...}}, or {"closed": true}, {"silent": true} or {"error": "why"}.
// {"api": "Produce", "versions": true} answers with the key and the range that Kafka knows.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collection;
import java.util.Iterator;
import java.util.Map;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.requests.RequestUtils;
import org.apache.kafka.common.requests.ResponseHeader;

public class KafkaProbe {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String MESSAGES = "org.apache.kafka.common.message.";
    private static final int TIMEOUT_MS = 15_000;

    public static void main(String[] arguments) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            ObjectNode answer = JsonNodeFactory.instance.objectNode();
            try {
                answer(MAPPER.readTree(line), answer);
            } catch (EOFException | SocketException gone) {
                answer.put("closed", true);
            } catch (SocketTimeoutException silent) {
                answer.put("silent", true);
            } catch (InvocationTargetException error) {
                answer.put("error", String.valueOf(error.getCause()));
            } catch (Exception error) {
                answer.put("error", error.toString());
            }
            System.out.println(MAPPER.writeValueAsString(answer));
        }
    }

    private static void answer(JsonNode ask, ObjectNode answer) throws Exception {
        String api = ask.get("api").asText();
        ApiKeys key = Arrays.stream(ApiKeys.values()).filter(k -> k.name.equals(api)).findFirst().orElseThrow();
        if (ask.has("versions")) {
            answer.put("key", key.id).put("min", key.oldestVersion()).put("max", key.latestVersion(false));
            return;
        }
        short version = (short) ask.get("version").asInt();
        ApiMessage request = requestOf(api, version, ask.get("body"));
        RequestHeader header = new RequestHeader(key, version, "differential", 7);
        ByteBuffer payload = RequestUtils.serialize(header.data(), header.headerVersion(), request, version);
        ByteBuffer response = exchange(ask.get("to").asText(), payload);
        ResponseHeader.parse(response, key.responseHeaderVersion(version));
        ApiMessage message = key.messageType.newResponse();
        message.read(new ByteBufferAccessor(response), version);
        if (response.hasRemaining()) {
            answer.put("leftOver", response.remaining());
        }
        JsonNode body = toJson(message, version);
        if (message instanceof FetchResponseData) {
            addRecords((FetchResponseData) message, body);
        }
        answer.set("body", body);
    }

    private static ByteBuffer exchange(String to, ByteBuffer payload) throws IOException {
        int colon = to.lastIndexOf(':');
        try (Socket socket = new Socket(to.substring(0, colon), Integer.parseInt(to.substring(colon + 1)))) {
            socket.setSoTimeout(TIMEOUT_MS);
            byte[] frame = ByteBuffer.allocate(4 + payload.remaining()).putInt(payload.remaining()).put(payload).array();
            socket.getOutputStream().write(frame);
            DataInputStream input = new DataInputStream(socket.getInputStream());
            byte[] answer = new byte[input.readInt()];
            input.readFully(answer);
            return ByteBuffer.wrap(answer);
        }
    }

    private static ApiMessage requestOf(String api, short version, JsonNode sparse) throws Exception {
        Class<?> type = Class.forName(MESSAGES + api + "RequestData");
        ObjectNode full = fill(type, converterOf(type), version, sparse);
        return (ApiMessage) converterOf(type).getMethod("read", JsonNode.class, short.class).invoke(null, full, version);
    }

    // The defaults of the type with the given fields on top, arrays of structs element by element.
    private static ObjectNode fill(Class<?> type, Class<?> converter, short version, JsonNode sparse) throws Exception {
        ObjectNode full = (ObjectNode) write(converter, type.getConstructor().newInstance(), version);
        for (Iterator<Map.Entry<String, JsonNode>> fields = sparse.properties().iterator(); fields.hasNext();) {
            Map.Entry<String, JsonNode> field = fields.next();
            String name = field.getKey();
            JsonNode value = field.getValue();
            Method getter = type.getMethod(name);  // throws if no version has such a field
            if (value.isArray() && value.size() > 0 && value.get(0).isObject()) {
                Class<?> element = elementOf(getter.getGenericReturnType());
                ArrayNode elements = JsonNodeFactory.instance.arrayNode();
                for (JsonNode one : value) {
                    elements.add(fill(element, nestedConverterOf(converter, element), version, one));
                }
                value = elements;
            }
            full.set(name, value);
        }
        return full;
    }

    private static Class<?> elementOf(Type type) {
        if (type instanceof ParameterizedType) {
            return (Class<?>) ((ParameterizedType) type).getActualTypeArguments()[0];
        }
        Class<?> collection = (Class<?>) type;  // a subclass of ImplicitLinkedHashMultiCollection<E>
        return (Class<?>) ((ParameterizedType) collection.getGenericSuperclass()).getActualTypeArguments()[0];
    }

    private static JsonNode toJson(ApiMessage message, short version) throws Exception {
        return write(converterOf(message.getClass()), message, version);
    }

    private static JsonNode write(Class<?> converter, Object message, short version) throws Exception {
        Method write = converter.getMethod("write", message.getClass(), short.class, boolean.class);
        return (JsonNode) write.invoke(null, message, version, false);
    }

    private static Class<?> converterOf(Class<?> type) throws ClassNotFoundException {
        return Class.forName(type.getName() + "JsonConverter");
    }

    private static Class<?> nestedConverterOf(Class<?> outer, Class<?> element) throws ClassNotFoundException {
        Class<?> top = outer.getEnclosingClass() == null ? outer : outer.getEnclosingClass();
        return Class.forName(top.getName() + "$" + element.getSimpleName() + "JsonConverter");
    }

    // The converter leaves record bytes out; they matter here.
    private static void addRecords(FetchResponseData message, JsonNode body) {
        int topic = 0;
        for (FetchResponseData.FetchableTopicResponse one : message.responses()) {
            JsonNode partitions = body.get("responses").get(topic++).get("partitions");
            int partition = 0;
            for (FetchResponseData.PartitionData data : one.partitions()) {
                ObjectNode node = (ObjectNode) partitions.get(partition++);
                node.remove("recordsSizeInBytes");
                node.put("records", data.records() == null ? (String) null : base64((MemoryRecords) data.records()));
            }
        }
    }

    private static String base64(MemoryRecords records) {
        ByteBuffer buffer = records.buffer().duplicate();
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return Base64.getEncoder().encodeToString(bytes);
    }
}
