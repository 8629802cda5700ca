#!/usr/bin/env python3
"""drift_check DIR: compares our schemas with Apache Kafka's JSON descriptions found below DIR.

Every message, at every version: the order of fields, their names, types, tags, nullability and defaults, what is
ignorable, and for APIs key, versions, listeners and what is advertised. Prints one line per difference.
One difference is meant and not reported: where Kafka's nullable field has no default, it starts out empty there and
null here. Nothing on the wire depends on it, except for tagged fields, where the two must agree.
"""
import json
import pathlib
import re
import sys

import kmsgc
import schema
from schema import Versions

TYPES = {"request": "request", "response": "response", "metadata": "metadata", "coordinator-key": "key",
         "coordinator-value": "value", "data": "data", "header": "header"}


def load_json(path):
    """Kafka's JSON has comments; a comment never shares a line with an 'about' sentence, which may hold a URL."""
    lines = path.read_text().splitlines()
    return json.loads("\n".join(line if '"about"' in line else re.sub(r"//.*", "", line) for line in lines))


def snake_case(name):
    name = name.replace("KRaft", "Kraft")
    name = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return re.sub(r"([A-Z])([A-Z][a-z])", r"\1_\2", name).lower()


def versions(text):
    return schema.NONE if text in (None, "none") else Versions.parse(text)


def flexible_from(flexible, versions):
    """The first flexible version; None when no version is."""
    return next((v for v in versions if v in flexible), None)


def plain_default(default):
    """A default that is not null, as a number: 0 for all that is zero, false or empty."""
    text = str(default or 0).lower()
    return int(text == "true") if text in ("false", "true") else int(text, 0)


class KafkaMessage:
    """What Kafka's JSON says of a message, in the terms of the comparison."""

    def __init__(self, description):
        self.description = description
        self.shared = {s["name"]: s["fields"] for s in description.get("commonStructs", [])}

    def facts(self):
        d = self.description
        return {"kind": TYPES[d["type"]], "key": d.get("apiKey", -1), "versions": versions(d["validVersions"]),
                "flexible": flexible_from(versions(d["flexibleVersions"]), versions(d["validVersions"]))}

    def fields(self, version):
        return self.walk(self.description["fields"], version)

    def walk(self, fields, version):
        found = []
        for f in fields:
            if version not in versions(f.get("versions", f.get("taggedVersions"))):
                continue
            is_array = f["type"].startswith("[]")
            element = f["type"].removeprefix("[]")
            children = f.get("fields") or self.shared.get(element)
            nullable = version in versions(f.get("nullableVersions"))
            found.append({
                "name": snake_case(f["name"]), "type": element, "array": is_array, "nullable": nullable,
                "tag": f.get("tag") if version in versions(f.get("taggedVersions")) else None,
                "default": self.default(f, bool(f.get("nullableVersions"))), "ignorable": bool(f.get("ignorable")),
                "inflexible": f.get("flexibleVersions") == "none",
                "fields": self.walk(children, version) if children else None})
        return found

    def default(self, f, nullable):
        value = f.get("default")
        if nullable and value is None:
            return "empty" if "tag" in f else "null"
        return "null" if value == "null" else plain_default(value)


class OurMessage:
    def __init__(self, message, types):
        self.message, self.types = message, types

    def facts(self):
        m = self.message
        return {"kind": m.kind, "key": m.key, "versions": m.versions,
                "flexible": flexible_from(m.flexible, m.versions)}

    def fields(self, version):
        return self.walk(self.message.root, version)

    def walk(self, struct, version):
        found = []
        for f in struct.fields:
            if version not in f.versions:
                continue
            found.append({
                "name": f.name, "type": self.types.get(f.type, f.type), "array": f.is_array,
                "nullable": version in f.nullable, "tag": f.tag, "default": self.default(f), "ignorable": f.ignorable,
                "inflexible": f.inflexible, "fields": self.walk(f.struct, version) if f.struct else None})
        return found

    def default(self, f):
        if f.nullable == schema.NONE:
            return plain_default(f.default)
        return "empty" if f.default in ("[]", '""', "{}") else "null"


def differences(path, kafka, ours):
    """Lines on how two lists of fields differ."""
    kafka_names, our_names = [f["name"] for f in kafka], [f["name"] for f in ours]
    if kafka_names != our_names:
        yield f"{path}: Kafka has the fields {', '.join(kafka_names)}; we have {', '.join(our_names)}"
        return
    for theirs, mine in zip(kafka, ours):
        for aspect in theirs:
            if aspect != "fields" and theirs[aspect] != mine[aspect]:
                yield f"{path}.{theirs['name']}: {aspect} is {theirs[aspect]} in Kafka, {mine[aspect]} here"
        if (theirs["fields"] is None) != (mine["fields"] is None):
            yield f"{path}.{theirs['name']}: a struct on one side only"
        elif theirs["fields"]:
            yield from differences(f"{path}.{theirs['name']}", theirs["fields"], mine["fields"])


def check_message(kafka, ours):
    name = ours.message.name
    theirs, mine = kafka.facts(), ours.facts()
    if theirs != mine:
        yield f"{name}: {theirs} in Kafka, {mine} here"
        return
    for version in theirs["versions"]:
        yield from differences(f"{name} v{version}", kafka.fields(version), ours.fields(version))


def check_api(description, api):
    if sorted(description["listeners"]) != sorted(api.listeners):
        yield f"{api.name}: listeners {description['listeners']} in Kafka, {api.listeners} here"
    last = api.versions.last - (1 if description.get("latestVersionUnstable") else 0)
    if api.advertised.last != last:
        yield f"{api.name}: Kafka advertises up to {last}, we up to {api.advertised.last}"


def check(descriptions, files, types):
    """All differences, for parsed JSON descriptions and parsed schema files."""
    ours = {m.name: OurMessage(m, types) for file in files for m in file.messages}
    apis = {file.api.name + "Request": file.api for file in files if file.api}
    for description in descriptions:
        name = description["name"]
        if description["validVersions"] == "none":
            continue
        if name not in ours:
            yield f"{name}: missing here"
            continue
        yield from check_message(KafkaMessage(description), ours.pop(name))
        if name in apis:
            yield from check_api(description, apis[name])
    for name in ours:
        yield f"{name}: unknown to Kafka"


def main(arguments):
    if len(arguments) != 1:
        return __doc__
    descriptions = [load_json(p) for p in sorted(pathlib.Path(arguments[0]).rglob("*.json"))]
    found = list(check(descriptions, *kmsgc.load(pathlib.Path(__file__).parent.parent / "schema")))
    print("\n".join(found))
    print(f"{len(descriptions)} descriptions, {len(found)} differences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
