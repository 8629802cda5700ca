"""Runs Kafka's command-line tools against one broker and reads what they print."""

import re
import signal
import subprocess

from lib import kafka_jars

# What DumpLogSegments prints when a file is not as it should be.
COMPLAINTS = re.compile(
    r"isvalid: false|[Mm]ismatch|are not found|out of order|[Nn]on.?monotonic|corrupt|Could not|Exception|ERROR|invalid bytes|duplicate", re.I
)


class Tools:
    """kafka-NAME.sh against one broker. What `start` left running ends with `stop_background`."""

    def __init__(self, target):
        self.target = target
        self._background = []

    def run(self, name, *arguments, stdin=None, expect=0, bootstrap=True):
        """The tool's output (stdout and stderr); AssertionError if its exit code is not `expect` (None: any)."""
        done = subprocess.run(self._command(name, arguments, bootstrap), input=stdin, capture_output=True, text=True, timeout=120)
        output = done.stdout + done.stderr
        assert expect is None or done.returncode == expect, f"kafka-{name}.sh ended with {done.returncode}:\n{output}"
        return output

    def start(self, name, *arguments):
        """Leaves the tool running in the background; its process."""
        command = self._command(name, arguments, bootstrap=True)
        self._background.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        return self._background[-1]

    def stop_background(self, timeout=30):
        """Ends with SIGTERM what runs in the background, as Ctrl-C would: a consumer leaves its group."""
        for process in self._background:
            process.send_signal(signal.SIGTERM)
        for process in self._background:
            process.wait(timeout)
        self._background.clear()

    def consume(self, topic, *arguments):
        """What the console consumer prints for partition 0, without its closing line."""
        reading = ("--topic", topic, "--partition", 0, "--timeout-ms", 15000)
        output = self.run("console-consumer", *reading, *arguments)
        return [line for line in output.splitlines() if not line.startswith("Processed a total of")]

    def _command(self, name, arguments, bootstrap):
        server = ["--bootstrap-server", self.target.address] if bootstrap else []
        return [str(kafka_jars.tool(name)), *server, *map(str, arguments)]


def expect(pattern, text):
    """The match of `pattern` in `text`, line by line; AssertionError with the text if there is none."""
    match = re.search(pattern, text, re.MULTILINE)
    assert match, f"no {pattern!r} in:\n{text}"
    return match


def dump(tools, files, *options):
    """DumpLogSegments over the files; AssertionError if it complains about anything."""
    assert files, f"no such files under {tools.target.data}"
    output = tools.run("dump-log", "--files", ",".join(map(str, files)), *options, bootstrap=False)
    complaint = COMPLAINTS.search(output)
    assert not complaint, f"{complaint[0]!r} in:\n" + output[max(0, complaint.start() - 500) : complaint.end() + 1500]
    return output
