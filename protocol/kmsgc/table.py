"""Writes all parsed schemas as constant tables (schema_table.gen.cc), for programs that read any message without the
code generated for it. protocol/schema_table.h says what they mean.
"""
import schema
from schema import SchemaError

OPEN_VERSION = 255           # the end of N+
NO_STRUCT = 0xffff
TYPES = {"bool": "kBool", "int8": "kInt8", "int16": "kInt16", "uint16": "kUint16", "int32": "kInt32",
         "uint32": "kUint32", "int64": "kInt64", "float64": "kFloat64", "uuid": "kUuid", "string": "kString",
         "bytes": "kBytes", "records": "kRecords"}
KINDS = {"request": "kRequest", "response": "kResponse", "metadata": "kMetadataRecord", "key": "kCoordinatorKey",
         "value": "kCoordinatorValue", "data": "kData", "header": "kHeader"}
# The folder of a schema of coordinator records: which log they are in.
LOGS = {"group": "kGroup", "share": "kShare", "txn": "kTransaction"}


def kafka_name(name):
    """The name in Kafka's JSON: brokerId for broker_id."""
    first, *rest = name.split("_")
    return {"kraft": "kRaft"}.get(first, first) + "".join(word.capitalize() for word in rest)


class Names:
    """All texts of the tables in one string; an index is that of a text's first byte. Index 0 is the empty text."""

    def __init__(self):
        self.offsets, self.size, self.texts = {"": 0}, 1, [""]

    def index(self, text):
        if text not in self.offsets:
            self.offsets[text] = self.size
            self.size += len(text) + 1
            self.texts.append(text)
        return self.offsets[text]


class TableWriter:
    def __init__(self, types):
        self.types = types
        self.names, self.fields, self.structs, self.messages = Names(), [], [], []
        self.struct_indexes = {}

    def add(self, file, message):
        log = "kNone"
        if message.kind in ("key", "value"):
            folder = file.path.parent.name
            if folder not in LOGS:
                raise SchemaError(f"{file.path.name}: coordinator records are in {', '.join(sorted(LOGS))}, not {folder}")
            log = LOGS[folder]
        flexible = message.flexible.first if message.flexible != schema.NONE else OPEN_VERSION
        root = self.struct(message.root)
        self.messages.append((message.name, f"{{{self.names.index(message.name)}, {root}, {message.key}, "
                              f"MessageKind::{KINDS[message.kind]}, RecordLog::{log}, {message.versions.first}, "
                              f"{message.versions.last}, {flexible}}},  // {message.name}"))

    def struct(self, struct):
        """The index of a struct; the fields of one struct lie together, so those of its structs come before."""
        if id(struct) not in self.struct_indexes:
            children = [self.struct(field.struct) if field.struct else NO_STRUCT for field in struct.fields]
            first = len(self.fields)
            self.fields += [self.field(field, child) for field, child in zip(struct.fields, children)]
            self.struct_indexes[id(struct)] = len(self.structs)
            self.structs.append(f"{{{first}, {len(struct.fields)}}},  // {struct.name}")
        return self.struct_indexes[id(struct)]

    def field(self, field, child):
        wire = "kStruct" if field.struct else TYPES[self.types.get(field.type, field.type)]
        flags = [flag for flag, is_on in (("kIsArray", field.is_array), ("kIsInflexible", field.inflexible),
                                          ("kIsErrorCode", field.type == "ErrorCode")) if is_on]
        default = field.default or ""
        tag = -1 if field.tag is None else field.tag
        name = kafka_name(field.name)
        return (f"{{{self.names.index(name)}, {self.names.index(default)}, {child}, {tag}, WireType::{wire}, "
                f"{' | '.join(flags) or 0}, {self.range(field.versions)}, {self.range(field.nullable)}}},  // {name}")

    def range(self, versions):
        return f"{{{versions.first}, {min(versions.last, OPEN_VERSION)}}}"

    def lines(self):
        if self.names.size > 0xffff or len(self.fields) >= NO_STRUCT:
            raise SchemaError("the tables of all schemas need wider indexes")
        lines = ["// Generated from protocol/schema.", '#include "protocol/schema_table.h"', "",
                 "namespace milena::protocol {", "namespace {", "", "constexpr char kNames[] ="]
        lines += ['    "' + text.replace('"', '\\"') + '\\0"' for text in self.names.texts]
        lines[-1] += ";"
        for kind, name, rows in (("SchemaField", "kFields", self.fields), ("SchemaStruct", "kStructs", self.structs),
                                 ("SchemaMessage", "kMessages", [row for _, row in sorted(self.messages)])):
            lines += ["", f"constexpr {kind} {name}[] = {{"] + [f"    {row}" for row in rows] + ["};"]
        return lines + ["", "}  // namespace", "",
                        "const SchemaTable kSchemaTable = {kNames, kFields, kStructs, kMessages};", "",
                        "}  // namespace milena::protocol"]


def table(files, types):
    writer = TableWriter(types)
    for file in files:
        for message in file.messages:
            writer.add(file, message)
    return writer.lines()
