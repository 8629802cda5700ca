"""Writes C++ from parsed schemas: per file the structs (X.gen.h), the walks that read and write them (X.walk.gen.h)
and for all files together the codecs built from the walks (codec_N.gen.cc), the API table and the message table.
"""
import re

import schema
from schema import SchemaError

NUMBERS = {
    "bool": "bool", "int8": "std::int8_t", "int16": "std::int16_t", "uint16": "std::uint16_t", "int32": "std::int32_t",
    "uint32": "std::uint32_t", "int64": "std::int64_t", "float64": "double", "uuid": "Uuid",
}
# Types with a length: C++ type and the verb of protocol/codec_impl.h.
LENGTHY = {"string": ("std::string_view", "text"), "bytes": ("BytesView", "blob"), "records": ("RecordsRef", "records")}
KINDS = {
    "request": "kRequest", "response": "kResponse", "metadata": "kMetadataRecord", "key": "kCoordinatorKey",
    "value": "kCoordinatorValue", "data": "kData", "header": "kHeader",
}
RECORD_KINDS = ("metadata", "key", "value", "data")
EMPTY = ("[]", '""', "{}")   # defaults of nullable fields that are not null when absent
KEYWORDS = {"class", "default", "delete", "enum", "export", "explicit", "namespace", "new", "operator", "private",
            "protected", "public", "register", "switch", "template", "this", "typename", "union", "using", "virtual"}


class MessageWriter:
    """The C++ of one message."""

    def __init__(self, message, types):
        self.message, self.types = message, types
        self.qualified = {id(message.root): message.root.name}
        for struct in [message.root] + message.shared:
            self.qualify(struct)
        self.hoisted = []
        for struct in [message.root] + message.shared:
            self.check(struct)
            self.hoist_nullables(struct)

    def qualify(self, struct):
        if struct is not self.message.root:
            outer = self.qualified[id(struct.parent)] if struct.parent else self.message.root.name
            self.qualified[id(struct)] = f"{outer}::{struct.name}"
        for child in struct.children():
            self.qualify(child)

    def check(self, struct):
        for field in struct.fields:
            if field.name in KEYWORDS:
                raise SchemaError(f"{field.where}: {field.name} is a C++ keyword")
            if field.default == "null" and field.nullable == schema.NONE:
                raise SchemaError(f"{field.where}: the default of a field that is never null cannot be null")
        for child in struct.children():
            self.check(child)

    # A struct inside std::optional must be complete, defaults and all, before the struct that holds it is declared.
    # C++ does not give that to nested structs, so those are declared ahead of the message and aliased into it.

    def hoist_nullables(self, struct):
        for field in struct.fields:
            if field.struct and not field.is_array and field.nullable != schema.NONE:
                self.hoist(field.struct)
        for child in struct.children():
            self.hoist_nullables(child)

    def hoist(self, struct):
        self.hoist_shared(struct)
        if struct not in self.hoisted:
            self.hoisted.append(struct)

    def hoist_shared(self, struct):
        for field in struct.fields:
            if field.struct and field.struct.parent is struct:
                self.hoist_shared(field.struct)
            elif field.struct:
                self.hoist(field.struct)

    def hoist_namespace(self):
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", self.message.name).lower()

    # Types and values.

    def wire(self, field):
        return self.types.get(field.type, field.type)

    def element_type(self, field):
        if field.struct:
            return self.qualified[id(field.struct)]
        wire = self.wire(field)
        if wire in LENGTHY:
            return LENGTHY[wire][0]
        return field.type if field.type in self.types else NUMBERS[wire]

    def member_type(self, field):
        element = field.struct.name if field.struct else self.element_type(field)
        member = f"std::span<{element}>" if field.is_array else element
        return f"std::optional<{member}>" if field.nullable != schema.NONE else member

    def initial(self, field):
        if field.nullable != schema.NONE:
            return "std::in_place" if field.default in EMPTY else ""
        if field.default is None:
            return ""
        if field.default == "-2147483648":
            return "std::numeric_limits<std::int32_t>::min()"
        return field.default

    def is_set(self, field, member):
        """An expression: does the member differ from its default?"""
        if field.nullable == schema.NONE:
            return self.is_value_set(field, member)
        if field.default not in EMPTY:
            return f"{member}.has_value()"
        return f"(!{member} || {self.is_value_set(field, '(*' + member + ')')})"

    def is_value_set(self, field, member):
        if field.is_array or self.wire(field) in ("string", "bytes"):
            return f"!{member}.empty()"
        if self.wire(field) == "records":
            return f"({member}.size() > 0)"
        if field.struct:
            return "(" + " || ".join(self.is_set(f, f"{member}.{f.name}") for f in field.struct.fields) + ")"
        return f"!({member} == {self.element_type(field)}{{{self.initial(field)}}})"

    # Structs.

    def declaration(self):
        m = self.message
        flexible = m.flexible.first if m.flexible != schema.NONE else "MessageInfo::kNeverFlexible"
        lines = []
        if self.hoisted:
            lines += [f"namespace {self.hoist_namespace()} {{"]
            for struct in self.hoisted:
                lines += self.struct(struct, "")
            lines += [f"}}  // namespace {self.hoist_namespace()}", ""]
        lines += [f"// {m.doc}"] if m.doc else []
        lines += [
            f"struct {m.name} {{",
            f"  static constexpr MessageInfo kInfo{{.name = \"{m.name}\", .kind = MessageKind::{KINDS[m.kind]}, .key = {m.key},",
            f"                                     .min_version = {m.versions.first}, .max_version = {m.versions.last}, "
            f".flexible_from = {flexible}}};", ""]
        for struct in m.shared:
            lines += self.nested(struct, "  ") + [""]
        return lines + self.body(m.root, "  ") + ["};", ""]

    def nested(self, struct, indent):
        if struct in self.hoisted:
            return [f"{indent}using {struct.name} = {self.hoist_namespace()}::{struct.name};"]
        return self.struct(struct, indent)

    def struct(self, struct, indent):
        doc = [f"{indent}// {struct.doc}"] if struct.doc else []
        return doc + [f"{indent}struct {struct.name} {{"] + self.body(struct, indent + "  ") + [f"{indent}}};"]

    def body(self, struct, indent):
        lines = []
        for child in struct.children():
            lines += self.nested(child, indent) + [""]
        for field in struct.fields:
            doc = f"  // {field.doc}" if field.doc else ""
            lines.append(f"{indent}{self.member_type(field)} {field.name}{{{self.initial(field)}}};{doc}")
        return lines

    # Walks.

    def condition(self, field, within):
        """The versions test in front of a field, '' when it is in all of `within`."""
        tests = []
        if field.versions.first > within.first:
            tests.append(f"c.since({field.versions.first})")
        if field.versions.last < within.last:
            tests.append(f"c.until({field.versions.last})")
        return " && ".join(tests)

    def nullable_argument(self, field):
        """What the verb of a nullable field is told about versions in which it is not nullable."""
        within = schema.Versions(max(field.versions.first, self.message.versions.first),
                                 min(field.versions.last, self.message.versions.last))
        if field.nullable == schema.NONE or field.nullable.covers(within):
            return ""
        tests = []
        if field.nullable.first > within.first:
            tests.append(f"c.since({field.nullable.first})")
        if field.nullable.last < within.last:
            tests.append(f"c.until({field.nullable.last})")
        return ", " + " && ".join(tests)

    def verb(self, field, value, codec):
        """The call that reads or writes one value (not an array) of the field's type."""
        if field.struct:
            return f"walk({codec}, {value});"
        wire = self.wire(field)
        verb = LENGTHY[wire][1] if wire in LENGTHY else "field"
        return f'{codec}.{verb}({value}, "{field.name}"{"" if field.is_array else self.nullable_argument(field)});'

    def access(self, field, codec="c"):
        member = f"m.{field.name}"
        if field.is_array:
            return (f'{codec}.array({member}, {self.min_element(field)}, "{field.name}", '
                    f"[&](auto& e) {{ {self.verb(field, 'e', codec)} }}{self.nullable_argument(field)});")
        if field.struct and field.nullable != schema.NONE:
            verb = "object" if field.tag is None else "tagged_object"
            return (f'{codec}.{verb}({member}, "{field.name}", [&](auto& e) {{ walk({codec}, e); }}'
                    f"{self.nullable_argument(field)});")
        if field.inflexible:
            return f"c.classic([&](auto& f) {{ {self.verb(field, member, 'f')} }});"
        return self.verb(field, member, codec)

    def walks(self):
        lines = []
        for struct in self.message.shared + [self.message.root]:
            lines += self.walk(struct)
        return lines

    def walk(self, struct):
        m = self.message
        lines = []
        for child in struct.children():
            lines += self.walk(child)
        lines += ["template <class C>",
                  f"static void walk(C& c, {'' if struct.fields else '[[maybe_unused]] '}typename C::template Ref<{self.qualified[id(struct)]}> m) {{"]
        for field in struct.fields:
            if field.tag is None:
                lines += self.plain(field)
        tagged = sorted((f for f in struct.fields if f.tag is not None), key=lambda f: f.tag)
        flexible = m.flexible != schema.NONE and m.flexible.first <= m.versions.last
        if tagged and not flexible:
            raise SchemaError(f"{tagged[0].where}: {m.name} has no flexible version, so no tagged fields")
        if not flexible:
            lines += ["}", ""]
            return lines
        if not tagged:
            return lines + ["  c.tags([](auto&) {});", "}", ""]
        lines.append("  c.tags([&](auto& tag) {")
        flexible_versions = schema.Versions(max(m.flexible.first, m.versions.first), m.versions.last)
        for field in tagged:
            condition = self.condition(field, flexible_versions) or "true"
            is_set = self.is_set(field, f"m.{field.name}")
            lines.append(f"    tag({field.tag}, {condition}, [&] {{ return {is_set}; }}, [&](auto& f) {{ {self.access(field, 'f')} }});")
        lines += ["  });"]
        for field in tagged:
            lines += self.absent(field, self.condition(field, m.versions) or self.flexible_condition())
        return lines + ["}", ""]

    def flexible_condition(self):
        first = self.message.flexible.first
        return f"c.since({first})" if first > self.message.versions.first else ""

    def plain(self, field):
        condition = self.condition(field, self.message.versions)
        if not condition:
            return [f"  {self.access(field)}"]
        return [f"  if ({condition}) {self.access(field)}"] + self.absent(field, condition)

    def absent(self, field, condition):
        """Records must not lose a field silently; requests and responses may (see encode in protocol/codec.h)."""
        if not condition or field.ignorable or self.message.kind not in RECORD_KINDS:
            return []
        is_set = self.is_set(field, f"m.{field.name}")
        return [f'  if (!({condition})) c.absent({is_set}, "{field.name}");']

    # Sizes.

    def min_element(self, field):
        """Bytes that one element takes at least, over all versions."""
        versions = [v for v in self.message.versions if v in field.versions]
        if not versions:
            raise SchemaError(f"{field.where}: {field.name} is in no version of {self.message.name}")
        return min(self.min_value(field, v) for v in versions)

    def min_value(self, field, version):
        if field.struct:
            return self.min_struct(field.struct, version)
        size = schema.WIRE_SIZES[self.wire(field)]
        if size is not None:
            return size
        flexible = version in self.message.flexible and not field.inflexible
        return 1 if flexible else 2 if self.wire(field) == "string" else 4

    def min_struct(self, struct, version):
        flexible = version in self.message.flexible
        size = 1 if flexible else 0
        for field in struct.fields:
            if field.tag is not None or version not in field.versions:
                continue
            if field.is_array:
                size += 1 if flexible else 4
            elif field.struct and version in field.nullable:
                size += 1
            else:
                size += self.min_value(field, version)
        return size

    def arrays(self, struct):
        for field in struct.fields:
            if field.is_array:
                yield self.element_type(field), self.min_element(field)
        for child in struct.children():
            yield from self.arrays(child)

    def expansion_checks(self):
        sizes = {}
        for struct in [self.message.root] + self.message.shared:
            for element, size in self.arrays(struct):
                sizes[element] = min(size, sizes.get(element, size))
        return [f"static_assert(sizeof({element}) <= kMaxExpansion * {size});" for element, size in sizes.items()]


def banner(file):
    return f"// Generated from protocol/schema/{file.path.parent.name + '/' if file.path.parent.name != 'schema' else ''}{file.path.name}."


def header(file, writers):
    lines = [banner(file), "#pragma once", "", "#include <cstdint>", "#include <limits>", "#include <optional>",
             "#include <span>", "#include <string_view>", "", '#include "base/uuid.h"', '#include "protocol/codec.h"',
             '#include "protocol/error_code.h"', '#include "protocol/types.h"', "", "namespace milena::protocol {", ""]
    for writer in writers:
        lines += writer.declaration()
    return lines + ["}  // namespace milena::protocol"]


def walk_header(file, writers):
    lines = [banner(file), "#pragma once", "", '#include "protocol/codec_impl.h"',
             f'#include "protocol/{file.stem}.gen.h"', "", "namespace milena::protocol {", ""]
    for writer in writers:
        lines += writer.walks()
    return lines + ["}  // namespace milena::protocol"]


# One translation unit for each schema would parse the same headers a hundred times over, one for all could not be
# compiled in parallel.
CODEC_SHARDS = 16
# What comes all the time, or in great numbers at a start, has one of its own; only that is worth the compiler's time.
HOT = {"request_header", "response_header", "produce", "fetch", "list_offsets", "metadata", "offset_commit", "offset_fetch",
       "heartbeat", "consumer_group_heartbeat", "init_producer_id", "add_partitions_to_txn", "add_offsets_to_txn",
       "txn_offset_commit", "end_txn", "write_txn_markers", "end_txn_marker", "offset_commit_record",
       "transaction_log_record", "topic_record", "partition_record", "partition_change_record"}


def codecs(files, writers):
    """Name of each translation unit and its lines; `writers` are those of a file, by its stem."""
    cold = [file for file in files if file.stem not in HOT]
    units = {"codec_hot.gen.cc": codec_unit([file for file in files if file.stem in HOT], writers)}
    return units | {f"codec_{shard}.gen.cc": codec_unit(cold[shard::CODEC_SHARDS], writers)
                    for shard in range(CODEC_SHARDS)}


def codec_unit(files, writers):
    lines = ["// Generated from protocol/schema."]
    lines += [f'#include "protocol/{file.stem}.walk.gen.h"' for file in files]
    lines += ["", "namespace milena::protocol {", ""]
    for writer in (w for file in files for w in writers[file.stem]):
        name = writer.message.name
        lines += writer.expansion_checks()
        lines += [f"template Result<{name}> decode_front<{name}>(BytesView&, int, Arena&);",
                  f"template Encoded encode<{name}>(const {name}&, int, Arena&, std::size_t);"]
    return lines + ["", "}  // namespace milena::protocol"]


def api_table(files):
    apis = sorted((f.api for f in files if f.api), key=lambda a: a.key)
    lines = ["// Generated from protocol/schema.", "#pragma once", "", "#include <array>", "#include <cstdint>", "",
             '#include "protocol/api.h"', "", "namespace milena::protocol {", "",
             "enum class ApiKey : std::int16_t {"]
    lines += [f"  k{api.name} = {api.key}," for api in apis]
    lines += ["};", "", "// Ascending by key.", f"inline constexpr std::array<ApiInfo, {len(apis)}> kApis = {{{{"]
    for api in apis:
        flexible = api.flexible.first if api.flexible != schema.NONE else "MessageInfo::kNeverFlexible"
        listeners = " | ".join(f"kOn{name.capitalize()}" for name in sorted(api.listeners))
        lines.append(
            f"    {{.key = {api.key}, .name = \"{api.name}\", .min_version = {api.versions.first}, "
            f".max_version = {api.versions.last}, .min_advertised = {api.advertised.first}, "
            f".max_advertised = {api.advertised.last}, .flexible_from = {flexible}, .listeners = {listeners}}},")
    return lines + ["}};", "", "}  // namespace milena::protocol"]


def message_table(files):
    lines = ["// Generated from protocol/schema."]
    lines += [f'#include "protocol/{file.stem}.gen.h"' for file in files]
    lines += ['#include "protocol/message_table.h"', "", "namespace milena::protocol {", "namespace {", "",
              "constexpr MessageEntry kMessages[] = {"]
    names = sorted(message.name for file in files for message in file.messages)
    lines += [f"    message_entry<{name}>()," for name in names]
    return lines + ["};", "", "}  // namespace", "",
                    "std::span<const MessageEntry> message_table() { return kMessages; }", "",
                    "}  // namespace milena::protocol"]


# Test support: protocol/testing. The walks of all messages in one translation unit would take the compiler a minute.
RANDOM_SHARDS = 8


def random_shard(files, shard):
    files = files[shard::RANDOM_SHARDS]
    lines = ["// Generated from protocol/schema."]
    lines += [f'#include "protocol/{file.stem}.walk.gen.h"' for file in files]
    lines += ['#include "protocol/testing/random_message_impl.h"', "", "namespace milena::protocol {", ""]
    lines += [f"template BytesView random_message<{message.name}>(Rng&, int, Tags, Arena&);"
              for file in files for message in file.messages]
    return lines + ["", "}  // namespace milena::protocol"]


def random_table(files):
    lines = ["// Generated from protocol/schema."]
    lines += [f'#include "protocol/{file.stem}.gen.h"' for file in files]
    lines += ['#include "protocol/testing/random_message.h"', "", "namespace milena::protocol {", "namespace {", "",
              "constexpr RandomMessage kMessages[] = {"]
    names = sorted(message.name for file in files for message in file.messages)
    lines += [f"    {{{name}::kInfo, &random_message<{name}>}}," for name in names]
    return lines + ["};", "", "}  // namespace", "",
                    "std::span<const RandomMessage> random_messages() { return kMessages; }", "",
                    "}  // namespace milena::protocol"]
