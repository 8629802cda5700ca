"""The schema compiler: what it accepts, what it refuses, and what C++ comes out."""
import pathlib
import tempfile
import unittest

import cpp
import kmsgc
import schema
import table

TYPES = {"BrokerId": "int32", "ErrorCode": "int16", "TopicName": "string"}
HEAD = "data Thing\n  versions 0-5\n  flexible 3+\n\nfields\n"


def parse(text):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "07_thing.kmsg"
        path.write_text(text)
        return schema.parse_file(path, TYPES)


def fields(text):
    return parse(HEAD + text).messages[0].root.fields


def generated(text, writer=cpp.walk_header):
    file = parse(text)
    return "\n".join(writer(file, [cpp.MessageWriter(m, TYPES) for m in file.messages]))


def codec_unit(file, writers):
    return cpp.codec_unit([file], {file.stem: writers})


class Grammar(unittest.TestCase):
    def test_a_field_line(self):
        field, = fields("  leader  BrokerId?2-4  = 0x10  tag 3  1+  ignorable  // who leads\n")
        self.assertEqual((field.name, field.type, field.default, field.tag), ("leader", "BrokerId", "0x10", 3))
        self.assertEqual((field.nullable, field.versions.first), (schema.Versions(2, 4), 1))
        self.assertTrue(field.ignorable)
        self.assertEqual(field.doc, "who leads")

    def test_indentation_defines_structs_and_struct_lines_share_them(self):
        message, = parse(HEAD + "  a  [A]\n    b  [B]\n      x  int8\n  s  Shared\n\nstruct Shared\n  y  int8\n").messages
        a, s = message.root.fields
        self.assertEqual(a.struct.fields[0].struct.fields[0].name, "x")
        self.assertIs(s.struct, message.shared[0])

    def test_shared_structs_come_in_an_order_that_cpp_accepts(self):
        message, = parse(HEAD + "  s  [Outer]\n\nstruct Outer\n  i  [Inner]\n\nstruct Inner\n  y  int8\n").messages
        self.assertEqual([s.name for s in message.shared], ["Inner", "Outer"])

    def test_an_api_yields_request_and_response(self):
        file = parse("// Says hello.\napi 7 Greet\n  versions 1-2\n  flexible none\n  advertise 0-1\n"
                     "  listeners broker\n\nrequest\n  name  string\n\nresponse\n")
        self.assertEqual([m.name for m in file.messages], ["GreetRequest", "GreetResponse"])
        self.assertEqual((file.api.advertised, file.api.listeners), (schema.Versions(0, 1), ["broker"]))
        self.assertEqual((file.stem, file.messages[0].doc), ("thing", "Says hello."))

    def test_mistakes_are_reported_with_their_line(self):
        for text, why in {
            HEAD + "  x\n": "07_thing.kmsg:6: expected 'name type ...'",
            HEAD + "  x  Nothing\n": "07_thing.kmsg:6: no type Nothing",
            HEAD + "   x  int8\n": "indent by two spaces",
            HEAD + "  x  int8\n    y  int8\n": "int8 has no fields of its own",
            HEAD + "  x  int8\n  x  int8\n": "two fields x",
            HEAD + "  x  int8  tag 1\n  y  int8  tag 1\n": "two fields with tag 1",
            HEAD + "  x  int8  3-\n": "'3-' is not a version range",
            HEAD + "  x  int8  =\n": "the line ends too early",
            HEAD + "  a  A\n\nstruct A\n  b  [B]\n\nstruct B\n  a  [A]\n": "A holds itself",
            "data Thing\n  versions 0\n\nfields\n": "no line 'flexible'",
            "data Thing\n  versions 0\n  flexible none\n": "expected 'fields'",
            "thing Thing\n": "expected one of api",
            "api x Thing\n": "expected 'api KEY NAME'",
            "data Thing\n  versions 0\n  flexible none\n  color red\n": "'color red' is no attribute",
            "": "no message",
        }.items():
            with self.subTest(text), self.assertRaises(schema.SchemaError) as caught:
                parse(text)
            self.assertIn(why, str(caught.exception))

    def test_messages_must_be_unique(self):
        with self.assertRaisesRegex(schema.SchemaError, "message Thing is also in"):
            kmsgc.check([parse(HEAD), schema.File(pathlib.Path("other.kmsg"), parse(HEAD).messages, None)])


class Output(unittest.TestCase):
    def test_version_tests_stand_only_where_needed(self):
        walk = generated(HEAD + "  a  int8  0-5\n  b  int8  2+\n  c  int8  1-4\n  d  int8  0-9\n")
        self.assertIn('\n  c.field(m.a, "a");', walk)
        self.assertIn('if (c.since(2)) c.field(m.b, "b");', walk)
        self.assertIn('if (c.since(1) && c.until(4)) c.field(m.c, "c");', walk)
        self.assertIn('\n  c.field(m.d, "d");', walk)

    def test_records_notice_what_a_version_would_lose(self):
        lost = '  if (!(c.since(2))) c.absent(!(m.b == std::int8_t{-1}), "b");'
        self.assertIn(lost, generated(HEAD + "  b  int8  = -1  2+\n"))
        self.assertNotIn("absent", generated(HEAD + "  b  int8  = -1  2+  ignorable\n"))
        api = HEAD.replace("data Thing", "api 1 Thing").replace("fields", "request")
        api = api.replace("\n\n", "\n  listeners broker\n\n") + "  b  int8  = -1  2+\n\nresponse\n"
        self.assertNotIn("absent", generated(api))

    def test_tags_are_written_in_ascending_order_when_set(self):
        walk = generated(HEAD + "  b  string?  tag 2  3+\n  a  [int32]?  = []  tag 1  4+\n  c  S  tag 5  3+\n"
                         "    x  BrokerId  = -1\n")
        self.assertLess(walk.index("tag(1, c.since(4), [&] { return (!m.a || !(*m.a).empty()); },"),
                        walk.index("tag(2, true, [&] { return m.b.has_value(); },"))
        self.assertIn("tag(5, true, [&] { return (!(m.c.x == BrokerId{-1})); },", walk)

    def test_nullable_in_some_versions_only(self):
        walk = generated(HEAD + "  a  string?2+\n  b  [int8]?  \n  c  string?1+  1+\n")
        self.assertIn('c.text(m.a, "a", c.since(2));', walk)
        self.assertIn('c.array(m.b, 1, "b", [&](auto& e) { c.field(e, "b"); });', walk)
        self.assertIn('if (c.since(1)) c.text(m.c, "c");', walk)

    def test_the_smallest_element_is_the_smallest_over_all_versions(self):
        # v0-2: string 2 + array 4; v3: 1 + 1 + tags 1 + int64 8; v4-5: without the int64.
        walk = generated(HEAD + "  a  [A]\n    s  string\n    i  [int8]\n    n  int64  0-3\n    t  int32  tag 0  3+\n")
        self.assertIn("c.array(m.a, 3,", walk)
        self.assertIn("static_assert(sizeof(Thing::A) <= kMaxExpansion * 3);",
                      generated(HEAD + "  a  [A]\n    s  string\n    i  [int8]\n", codec_unit))

    def test_every_codec_is_in_one_translation_unit(self):
        files = [parse(HEAD.replace("Thing", f"Thing{i}") + "  x  int8\n") for i in range(2 * cpp.CODEC_SHARDS + 1)]
        for number, file in enumerate(files):
            file.path = file.path.with_name(f"thing_{number}.kmsg")
        files[3].path = files[3].path.with_name("fetch.kmsg")
        outputs = kmsgc.generate(files, TYPES)
        self.assertIn("encode<Thing3>(", outputs["codec_hot.gen.cc"])
        units = "\n".join(text for name, text in outputs.items() if name.startswith("codec_"))
        for number, file in enumerate(files):
            self.assertEqual(units.count(f'#include "protocol/{file.stem}.walk.gen.h"'), 1)
            self.assertEqual(units.count(f"template Encoded encode<Thing{number}>("), 1)

    def test_what_is_hot_has_a_schema(self):
        stems = {file.stem for file in kmsgc.load(pathlib.Path(__file__).parent.parent / "schema")[0]}
        self.assertEqual(cpp.HOT - stems, set())

    def test_structs_inside_optional_are_declared_ahead(self):
        header = generated(HEAD + "  a  A?\n    x  int8\n", cpp.header)
        self.assertLess(header.index("namespace thing {\nstruct A {"), header.index("using A = thing::A;"))

    def test_defaults(self):
        header = generated(HEAD + "  a  int32  = -2147483648\n  b  string?\n  c  [int8]?  = []  tag 0  3+\n"
                           "  d  BrokerId  = -1  // none\n", cpp.header)
        self.assertIn("std::int32_t a{std::numeric_limits<std::int32_t>::min()};", header)
        self.assertIn("std::optional<std::string_view> b{};", header)
        self.assertIn("std::optional<std::span<std::int8_t>> c{std::in_place};", header)
        self.assertIn("BrokerId d{-1};  // none", header)

    def test_tables_hold_every_field_with_kafkas_name(self):
        file = parse(HEAD + "  topic_id  uuid  1+\n  a  [A]?2+  = []  tag 3  3+\n    kraft_version  BrokerId  = -1\n"
                     "  e  ErrorCode  inflexible\n")
        text = "\n".join(table.table([file], TYPES))
        for name in ("kRaftVersion", "-1", "topicId", "[]"):
            self.assertIn(f'    "{name}\\0"', text)
        self.assertIn("65535, -1, WireType::kInt32, 0, {0, 255}, {1, 0}},  // kRaftVersion", text)
        self.assertIn("65535, -1, WireType::kUuid, 0, {1, 255}, {1, 0}},  // topicId", text)
        self.assertIn("0, 3, WireType::kStruct, kIsArray, {3, 255}, {2, 255}},  // a", text)
        self.assertIn("65535, -1, WireType::kInt16, kIsInflexible | kIsErrorCode, {0, 255}, {1, 0}},  // e", text)
        self.assertIn("1, -1, MessageKind::kData, RecordLog::kNone, 0, 5, 3},  // Thing", text)

    def test_tables_know_the_log_of_a_coordinator_record(self):
        file = parse("key 7 Thing\n  versions 0\n  flexible none\n\nfields\n  x  int8\n")
        file.path = pathlib.Path("schema/txn/thing.kmsg")
        self.assertIn("RecordLog::kTransaction", "\n".join(table.table([file], TYPES)))
        file.path = pathlib.Path("schema/other/thing.kmsg")
        with self.assertRaisesRegex(schema.SchemaError, "coordinator records are in group, share, txn"):
            table.table([file], TYPES)

    def test_what_cpp_cannot_say_is_refused(self):
        for text, why in {
            "  class  int8\n": "C\\+\\+ keyword",
            "  x  int8  = null\n": "never null cannot be null",
            "  x  [int8]  7+\n": "in no version",
        }.items():
            with self.subTest(text), self.assertRaisesRegex(schema.SchemaError, why):
                generated(HEAD + text)
        with self.assertRaisesRegex(schema.SchemaError, "no flexible version"):
            generated(HEAD.replace("3+", "none") + "  x  int8  tag 0\n")

    def test_unchanged_files_are_left_alone(self):
        with tempfile.TemporaryDirectory() as folder:
            source, output = pathlib.Path(folder) / "schema", pathlib.Path(folder) / "gen"
            source.mkdir()
            (source / "types.kmsg").write_text("type BrokerId int32\n")
            (source / "a.kmsg").write_text(HEAD + "  x  int8\n")
            (source / "b.kmsg").write_text(HEAD.replace("Thing", "Other") + "  x  int8\n")
            self.assertEqual(kmsgc.main([output, source]), 0)
            before = {p: p.stat().st_mtime_ns for p in output.rglob("*.gen.*")}
            (source / "b.kmsg").write_text(HEAD.replace("Thing", "Other") + "  x  int16\n")
            self.assertEqual(kmsgc.main([output, source]), 0)
            changed = {p.name for p, time in before.items() if p.stat().st_mtime_ns != time}
            self.assertEqual(changed, {"b.gen.h", "schema_table.gen.cc"})


if __name__ == "__main__":
    unittest.main()
