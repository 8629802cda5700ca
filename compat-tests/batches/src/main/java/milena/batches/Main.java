package milena.batches;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Random;

/**
 * Main random SEED COUNT: prints `BATCH TEXT` for random batches written by Kafka.
 * Main describe: reads lines `BATCH`, prints the TEXT of each.
 * Main judge: reads lines `RULES BATCH`, prints `RULES BATCH VERDICT`.
 * BATCH is hex, TEXT is BatchText's, VERDICT is Judge's; RULES has no blanks.
 */
public final class Main {
  private Main() {}

  public static void main(String[] args) throws Exception {
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.US_ASCII);
    if (args[0].equals("random")) {
      Random random = new Random(Long.parseLong(args[1]));
      for (int i = Integer.parseInt(args[2]); i > 0; i--) {
        byte[] batch = RandomBatches.next(random);
        out.println(BatchText.hex(batch) + " " + BatchText.of(batch));
      }
    } else {
      BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        String[] words = line.split(" ", -1);
        out.println(args[0].equals("describe") ? BatchText.of(BatchText.bytes(words[0]))
            : words[0] + " " + words[1] + " " + Judge.verdict(words[0], BatchText.bytes(words[1])));
      }
    }
    out.flush();
  }
}
