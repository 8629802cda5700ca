"""Processes of the client under test, and the history that they write down.

A program prints events as JSON lines, in the format of compat-tests/checker/README.md but without `process`, which is
added here, and `note` lines with a `text`: trouble that it lives with. A worker's arguments are HOST:PORT INPUT OUTPUT
GROUP TRANSACTIONAL_ID PROCESS PROTOCOL. It names its transactions PROCESS.1, PROCESS.2, ...; the records it writes carry
the value of the record consumed, an @ and the name of the transaction. On SIGTERM it ends within 30 s.
WORKER_SCRATCH in its environment names a directory that it may use.
"""

import json
import signal
import subprocess
import threading
import time


class Recorder:
    """The history of one run as a file; any thread may write to it."""

    def __init__(self, path, log):
        self._file = open(path, "w", encoding="utf-8")
        self._log = open(log, "w", encoding="utf-8")
        self._lock = threading.Lock()

    def tell(self, process, op, **fields):
        self.write(process, {"time": time.time(), "op": op, **fields})

    def write(self, process, event):
        with self._lock:
            if event["op"] == "note":
                self._log.write(f"{time.strftime('%X')} {process}: {event['text']}\n")
                self._log.flush()
            else:
                self._file.write(json.dumps({"process": process, **event}) + "\n")

    def note(self, text):
        self.write("runner", {"op": "note", "text": text})

    def close(self):
        with self._lock:
            self._file.close()
            self._log.close()


class Program:
    """A process whose events go into the history under the name `process`."""

    def __init__(self, process, command, environment, recorder, errors):
        self.process = process
        self._recorder = recorder
        self._errors = open(errors, "ab")
        self._popen = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._errors, env=environment, text=True)
        self._follower = threading.Thread(target=self._follow, daemon=True)
        self._follower.start()

    def _follow(self):
        for line in self._popen.stdout:
            if not line.endswith("}\n"):  # killed in the middle of a line
                continue
            self._recorder.write(self.process, json.loads(line))

    def ended(self):
        return self._popen.poll() is not None

    def pause(self):
        self._popen.send_signal(signal.SIGSTOP)

    def go_on(self):
        self._popen.send_signal(signal.SIGCONT)

    def finish(self, seconds=60):
        """Waits for the end of a program that ends by itself."""
        try:
            code = self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.die()
            raise AssertionError(f"{self.process} did not end within {seconds} s") from None
        self._close()
        assert code == 0, f"{self.process} ended with {code}"

    def stop(self):
        """SIGTERM, and 30 s to end."""
        if not self.ended():
            self._popen.send_signal(signal.SIGTERM)
        try:
            self._popen.wait(30)
        except subprocess.TimeoutExpired:
            self.die()
            raise AssertionError(f"{self.process} did not end within 30 s of SIGTERM") from None
        self._close()

    def die(self):
        """kill -9, if it still runs."""
        self._popen.kill()
        self._popen.wait()
        self._close()

    def _close(self):
        self._follower.join(10)
        self._popen.stdout.close()
        self._errors.close()
