package karst;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Reads as a member of a group, and does what the lines of the input say. */
final class Consume {
  private static final Duration POLL = Duration.ofMillis(50);
  private static final String RANGE = "org.apache.kafka.clients.consumer.RangeAssignor";
  private static final String COOPERATIVE = "org.apache.kafka.clients.consumer.CooperativeStickyAssignor";

  private Consume() {}

  static void run(Map<String, String> options) {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", options.get("bootstrap"));
    settings.put("group.id", options.get("group"));
    settings.put("auto.offset.reset", "earliest");
    settings.put("enable.auto.commit", "false");
    settings.put("session.timeout.ms", options.get("session-timeout-ms"));
    settings.put("heartbeat.interval.ms", options.get("heartbeat-ms"));
    boolean cooperative = "cooperative-sticky".equals(options.get("assignor"));
    settings.put("partition.assignment.strategy", cooperative ? COOPERATIVE : RANGE);
    boolean commits = "asked".equals(options.get("commit"));
    BlockingQueue<String> commands = commands();
    ByteArrayDeserializer bytes = new ByteArrayDeserializer();
    try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(settings, bytes, bytes)) {
      consumer.subscribe(List.of(options.get("topics").split(",")), new Listener());
      for (String command = ""; !"leave".equals(command); command = commands.poll()) {
        if ("commit".equals(command)) {
          if (commits) {
            consumer.commitSync();
          }
          Driver.tell(Driver.event("committed"));
        }
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
          Driver.tell(eventOf(record));
        }
      }
    }
    Driver.tell(Driver.event("left"));
  }

  /** Lines of the input as they come; the end of it is a wish to leave. */
  private static BlockingQueue<String> commands() {
    BlockingQueue<String> commands = new LinkedBlockingQueue<>();
    Thread reader =
        new Thread(
            () -> {
              try (BufferedReader lines =
                  new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                  commands.add(line.trim());
                }
              } catch (IOException error) {
                throw new UncheckedIOException(error);
              } finally {
                commands.add("leave");
              }
            });
    reader.setDaemon(true);
    reader.start();
    return commands;
  }

  private static ObjectNode eventOf(ConsumerRecord<byte[], byte[]> record) {
    ObjectNode event =
        Driver.event("record")
            .put("topic", record.topic())
            .put("partition", record.partition())
            .put("offset", record.offset())
            .put("timestamp", record.timestamp())
            .put("key", record.key())
            .put("value", record.value());
    ArrayNode headers = event.putArray("headers");
    for (Header header : record.headers()) {
      headers.addArray().add(header.key()).add(header.value());
    }
    return event;
  }

  private static final class Listener implements ConsumerRebalanceListener {
    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
      tell("assigned", partitions);
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
      tell("revoked", partitions);
    }

    private static void tell(String name, Collection<TopicPartition> partitions) {
      ObjectNode event = Driver.event(name);
      ArrayNode places = event.putArray("partitions");
      for (TopicPartition each : partitions) {
        places.addArray().add(each.topic()).add(each.partition());
      }
      Driver.tell(event);
    }
  }
}
