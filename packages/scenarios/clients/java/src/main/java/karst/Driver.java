package karst;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.utils.AppInfoParser;

/** kafka-clients as a driver (../README.md). */
public final class Driver {
  static final ObjectMapper JSON = new ObjectMapper();
  private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

  private Driver() {}

  static ObjectNode event(String name) {
    return JSON.createObjectNode().put("event", name);
  }

  static synchronized void tell(ObjectNode event) {
    OUT.println(event);
  }

  public static void main(String[] arguments) {
    try {
      String command = arguments.length == 0 ? "" : arguments[0];
      Map<String, String> options = optionsOf(arguments);
      switch (command) {
        case "version" -> version();
        case "produce" -> Produce.run(options);
        case "consume" -> Consume.run(options);
        default -> throw new IllegalArgumentException("commands: version, produce, consume");
      }
    } catch (Exception error) {
      tell(event("failed").put("message", error.toString()));
      System.exit(1);
    }
  }

  private static void version() {
    tell(event("version").put("client", AppInfoParser.getVersion()).put("library", "Java " + Runtime.version().feature()));
  }

  /** {@code --name value} pairs after the command. */
  private static Map<String, String> optionsOf(String[] arguments) {
    Map<String, String> options = new HashMap<>();
    for (int at = 1; at + 1 < arguments.length; at += 2) {
      options.put(arguments[at].replaceFirst("^--", ""), arguments[at + 1]);
    }
    return options;
  }
}
