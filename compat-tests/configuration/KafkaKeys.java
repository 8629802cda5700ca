// Prints what Apache Kafka's classes say about the broker's keys, one a line: name, type, default, validator,
// update mode, whether it is internal; separated by tabs.
import java.util.TreeSet;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.server.config.AbstractKafkaConfig;
import org.apache.kafka.server.config.DynamicBrokerConfig;

public class KafkaKeys {
    public static void main(String[] arguments) {
        ConfigDef all = AbstractKafkaConfig.CONFIG_DEF;
        for (String name : new TreeSet<>(all.names())) {
            ConfigDef.ConfigKey key = all.configKeys().get(name);
            String value = key.hasDefault() ? String.valueOf(ConfigDef.convertToString(key.defaultValue, key.type)) : "none";
            String mode = DynamicBrokerConfig.dynamicConfigUpdateModes().getOrDefault(name, "read-only");
            System.out.println(String.join("\t", name, key.type.name().toLowerCase(), value,
                String.valueOf(key.validator), mode, String.valueOf(key.internalConfig)));
        }
    }
}
