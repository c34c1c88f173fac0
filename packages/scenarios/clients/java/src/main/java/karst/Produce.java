package karst;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Sends the records of the input. */
final class Produce {
  private Produce() {}

  static void run(Map<String, String> options) throws Exception {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", options.get("bootstrap"));
    settings.put("compression.type", options.get("codec"));
    settings.put("enable.idempotence", options.get("idempotent"));
    settings.put("acks", "all");
    ByteArraySerializer bytes = new ByteArraySerializer();
    try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(settings, bytes, bytes)) {
      List<Future<RecordMetadata>> sent = new ArrayList<>();
      BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        sent.add(producer.send(recordOf(options.get("topic"), Driver.JSON.readTree(line))));
      }
      for (int index = 0; index < sent.size(); index++) {
        RecordMetadata where = sent.get(index).get();
        Driver.tell(
            Driver.event("acknowledged")
                .put("index", index)
                .put("partition", where.partition())
                .put("offset", where.offset()));
      }
    }
  }

  private static ProducerRecord<byte[], byte[]> recordOf(String topic, JsonNode line) throws Exception {
    ProducerRecord<byte[], byte[]> record =
        new ProducerRecord<>(
            topic,
            line.get("partition").intValue(),
            line.get("timestamp").longValue(),
            line.get("key").binaryValue(),
            line.get("value").binaryValue());
    for (JsonNode header : line.get("headers")) {
      record.headers().add(header.get(0).textValue(), header.get(1).binaryValue());
    }
    return record;
  }
}
