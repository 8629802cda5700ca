"""The drift check: it is silent when schema and JSON agree and names what differs when they do not."""
import copy
import json
import pathlib
import tempfile
import unittest

import drift_check
import schema

TYPES = {"TopicName": "string"}
SCHEMA = """
api 7 Greet
  versions 1-3
  flexible 2+
  advertise 1-2
  listeners broker

request
  name        TopicName?  2+  ignorable
  greetings   [Greeting]
    text      string
    loudness  int32       = -1  tag 0  2+
  when        Moment

struct Moment
  at_ms       int64

response
"""
REQUEST = {
    "apiKey": 7, "type": "request", "listeners": ["broker"], "name": "GreetRequest", "validVersions": "1-3",
    "flexibleVersions": "2+", "latestVersionUnstable": True,
    "fields": [
        {"name": "Name", "type": "string", "versions": "2+", "nullableVersions": "2+", "ignorable": True},
        {"name": "Greetings", "type": "[]Greeting", "versions": "0+", "fields": [
            {"name": "Text", "type": "string", "versions": "0+"},
            {"name": "Loudness", "type": "int32", "versions": "2+", "taggedVersions": "2+", "tag": 0,
             "default": "-1"}]},
        {"name": "When", "type": "Moment", "versions": "0+"}],
    "commonStructs": [{"name": "Moment", "versions": "0+", "fields": [
        {"name": "AtMs", "type": "int64", "versions": "0+"}]}],
}
RESPONSE = {"apiKey": 7, "type": "response", "name": "GreetResponse", "validVersions": "1-3",
            "flexibleVersions": "2+", "fields": []}


def check(descriptions, text=SCHEMA):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "07_greet.kmsg"
        path.write_text(text)
        return list(drift_check.check(descriptions, [schema.parse_file(path, TYPES)], TYPES))


class DriftCheck(unittest.TestCase):
    def test_agreement_is_silent(self):
        self.assertEqual(check([REQUEST, RESPONSE]), [])

    def test_every_aspect_is_compared(self):
        for old, new, why in [
            ("name        TopicName?", "title       TopicName?", "v2: Kafka has the fields name"),
            ("TopicName?  2+", "TopicName?  3+", "v2: Kafka has the fields name"),
            ("TopicName?  2+", "TopicName?3+  2+", "v2.name: nullable is True in Kafka, False here"),
            ("2+  ignorable", "2+", "v2.name: ignorable"),
            ("TopicName?", "bytes?", "v2.name: type is string in Kafka, bytes here"),
            ("[Greeting]", "Greeting", "v1.greetings: array"),
            ("= -1  tag 0  2+", "= -2  tag 0  2+", "v2.greetings.loudness: default is -1 in Kafka, -2 here"),
            ("tag 0", "tag 1", "v2.greetings.loudness: tag is 0 in Kafka, 1 here"),
            ("at_ms       int64", "at_ms       int32", "v1.when.at_ms: type"),
            ("Moment\n\nstruct", "Instant\n\nstruct", None),
            ("flexible 2+", "flexible 3+", None),
            ("versions 1-3", "versions 1-4", "GreetRequest: {"),
            ("api 7", "api 8", "GreetRequest: {"),
            ("advertise 1-2", "advertise 1-3", "Kafka advertises up to 2, we up to 3"),
            ("listeners broker", "listeners broker controller", "Greet: listeners"),
        ]:
            with self.subTest(new):
                self.assertIn(old, SCHEMA)
                try:
                    found = check([REQUEST, RESPONSE], SCHEMA.replace(old, new))
                except schema.SchemaError:
                    self.assertIsNone(why)
                    continue
                self.assertTrue(found)
                self.assertIn(why or "", found[0])

    def test_order_matters(self):
        swapped = copy.deepcopy(REQUEST)
        swapped["fields"].reverse()
        self.assertIn("Kafka has the fields when, greetings", check([swapped, RESPONSE])[0])

    def test_missing_and_surplus_messages(self):
        self.assertEqual(check([REQUEST]), ["GreetResponse: unknown to Kafka"])
        other = dict(RESPONSE, name="LeaveResponse")
        self.assertIn("LeaveResponse: missing here", check([REQUEST, RESPONSE, other]))
        self.assertEqual(check([REQUEST, RESPONSE, dict(other, validVersions="none")]), [])

    def test_an_untagged_nullable_field_may_start_out_null_here_and_empty_there(self):
        for tag, expected in ({}, 0), ({"taggedVersions": "2+", "tag": 1}, 2):
            request = copy.deepcopy(REQUEST)
            request["fields"][0].update(tag)
            text = SCHEMA.replace("TopicName?", "TopicName?  tag 1") if tag else SCHEMA
            self.assertEqual(len(check([request, RESPONSE], text)), expected)

    def test_kafkas_comments_are_dropped(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "x.json"
            path.write_text('// License\n{ "name": "X", // why\n  "about": "see http://x" }\n')
            self.assertEqual(drift_check.load_json(path), json.loads('{"name": "X", "about": "see http://x"}'))

    def test_names(self):
        for camel, snake in {"ThrottleTimeMs": "throttle_time_ms", "KRaftVersion": "kraft_version", "groupId": "group_id",
                             "LastKnownElr": "last_known_elr", "V3AndBelowTopics": "v3_and_below_topics"}.items():
            self.assertEqual(drift_check.snake_case(camel), snake)


if __name__ == "__main__":
    unittest.main()
