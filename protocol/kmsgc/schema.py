"""The schema language: parses *.kmsg files into messages. The grammar is in docs/formats/schema.md.

Every complaint is a SchemaError that names file and line.
"""
import dataclasses
import pathlib
import re

# Wire type -> bytes it takes; None for types with a length of their own.
WIRE_SIZES = {
    "bool": 1, "int8": 1, "int16": 2, "uint16": 2, "int32": 4, "uint32": 4, "int64": 8, "float64": 8, "uuid": 16,
    "string": None, "bytes": None, "records": None,
}
KINDS = ("api", "metadata", "key", "value", "data", "header")
OPEN_END = 32767


class SchemaError(Exception):
    pass


@dataclasses.dataclass(frozen=True)
class Versions:
    """A closed range of versions; a range written `N+` ends at OPEN_END."""
    first: int
    last: int

    @staticmethod
    def parse(text):
        match = re.fullmatch(r"(\d+)(?:(\+)|-(\d+))?", text)
        if not match:
            raise ValueError(f"'{text}' is not a version range")
        first = int(match[1])
        return Versions(first, OPEN_END if match[2] else int(match[3] or first))

    def __contains__(self, version):
        return self.first <= version <= self.last

    def __iter__(self):
        return iter(range(self.first, self.last + 1))

    def covers(self, other):
        return self.first <= other.first and self.last >= other.last


ALL = Versions(0, OPEN_END)
NONE = Versions(1, 0)


@dataclasses.dataclass
class Field:
    where: str
    name: str
    type: str               # element type of an array; a wire type, a name from types.kmsg, or a struct
    is_array: bool = False
    nullable: Versions = NONE
    versions: Versions = ALL
    default: str | None = None
    tag: int | None = None
    ignorable: bool = False
    inflexible: bool = False
    struct: "Struct | None" = None
    doc: str = ""


@dataclasses.dataclass(eq=False)
class Struct:
    where: str
    name: str
    fields: list[Field] = dataclasses.field(default_factory=list)
    parent: "Struct | None" = None   # the struct it is nested in; None for the message and its shared structs
    doc: str = ""

    def children(self):
        """Structs defined in place, in order."""
        return [f.struct for f in self.fields if f.struct and f.struct.parent is self]


@dataclasses.dataclass
class Message:
    kind: str               # request, response, metadata, key, value, data, header
    key: int                # API key or record type, -1 for data and headers
    name: str
    versions: Versions
    flexible: Versions
    root: Struct
    shared: list[Struct] = dataclasses.field(default_factory=list)   # in an order in which C++ can define them
    doc: str = ""


@dataclasses.dataclass
class Api:
    key: int
    name: str
    versions: Versions
    flexible: Versions
    advertised: Versions
    listeners: list[str]


@dataclasses.dataclass
class File:
    path: pathlib.Path
    messages: list[Message]
    api: Api | None

    @property
    def stem(self):
        """08_offset_commit.kmsg -> offset_commit, the name of the generated files."""
        return re.sub(r"^\d+_", "", self.path.stem)


def parse_types(path):
    """types.kmsg: name -> wire type."""
    types = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        words = line.partition("//")[0].split()
        if not words:
            continue
        if len(words) != 3 or words[0] != "type" or words[2] not in WIRE_SIZES:
            raise SchemaError(f"{path.name}:{number}: expected 'type NAME WIRE_TYPE'")
        types[words[1]] = words[2]
    return types


def parse_file(path, types):
    return Parser(path, types).file()


@dataclasses.dataclass
class Line:
    where: str
    indent: int
    words: list[str]
    doc: str


class Parser:
    def __init__(self, path, types):
        self.path, self.types = path, types
        self.lines = []
        comment = []
        for number, raw in enumerate(path.read_text().splitlines(), 1):
            where = f"{path.name}:{number}"
            text, _, doc = raw.partition("//")
            doc = doc.strip()
            if not text.strip():
                comment = comment + [doc] if doc else []
                continue
            indent = len(text) - len(text.lstrip())
            if indent % 2 or "\t" in text:
                raise SchemaError(f"{where}: indent by two spaces per level")
            self.lines.append(Line(where, indent // 2, text.split(), " ".join(comment + [doc]).strip()))
            comment = []
        self.at = 0

    def fail(self, line, why):
        raise SchemaError(f"{line.where}: {why}")

    def peek(self):
        return self.lines[self.at] if self.at < len(self.lines) else None

    def next(self):
        self.at += 1
        return self.lines[self.at - 1]

    def file(self):
        messages, api = [], None
        while line := self.peek():
            self.next()
            kind = line.words[0]
            if line.indent or kind not in KINDS:
                self.fail(line, f"expected one of {', '.join(KINDS)}")
            keyed = kind not in ("data", "header")
            if len(line.words) != (3 if keyed else 2) or (keyed and not line.words[1].isdigit()):
                self.fail(line, f"expected '{kind} {'KEY ' if keyed else ''}NAME'")
            key, name = int(line.words[1]) if keyed else -1, line.words[-1]
            attributes = self.attributes(line, kind)
            if kind == "api":
                api = Api(key, name, **attributes)
                for part in ("request", "response"):
                    messages.append(self.message(part, key, name + part.capitalize(), attributes, part, line.doc))
            else:
                messages.append(self.message(kind, key, name, attributes, "fields", line.doc))
        if not messages:
            raise SchemaError(f"{self.path.name}: no message")
        return File(self.path, messages, api)

    def attributes(self, header, kind):
        found = {}
        while (line := self.peek()) and line.indent == 1:
            self.next()
            key, values = line.words[0], line.words[1:]
            try:
                if key == "listeners":
                    found[key] = values
                elif key == "flexible" and values == ["none"]:
                    found[key] = NONE
                elif key in ("versions", "flexible", "advertise") and len(values) == 1:
                    found[key] = Versions.parse(values[0])
                else:
                    self.fail(line, f"'{' '.join(line.words)}' is no attribute of a message")
            except ValueError as error:
                self.fail(line, error)
        missing = {"versions", "flexible"} - found.keys()
        if missing:
            self.fail(header, f"{header.words[-1]} has no line '{sorted(missing)[0]}'")
        if kind != "api" and len(found) > 2:
            self.fail(header, "only an api is advertised on listeners")
        if kind == "api":
            found["advertised"] = found.pop("advertise", found["versions"])
            if not found.setdefault("listeners", []):
                self.fail(header, "an api needs a line 'listeners'")
        return found

    def message(self, kind, key, name, attributes, opening, doc):
        line = self.peek()
        if not line or line.indent or line.words != [opening]:
            self.fail(line or self.lines[-1], f"expected '{opening}'")
        self.next()
        root = Struct(line.where, name, doc=line.doc)
        self.fields(root, 1)
        shared = {}
        while (line := self.peek()) and not line.indent and line.words[0] == "struct":
            self.next()
            if len(line.words) != 2:
                self.fail(line, "expected 'struct NAME'")
            struct = Struct(line.where, line.words[1], doc=line.doc)
            self.fields(struct, 1)
            shared[struct.name] = struct
        message = Message(kind, key, name, attributes["versions"], attributes["flexible"], root, doc=doc)
        for struct in shared.values():
            self.resolve(struct, shared, message)
        self.resolve(root, shared, message)
        return message

    def fields(self, struct, level):
        while (line := self.peek()) and line.indent >= level:
            self.next()
            if line.indent > level:
                self.fail(line, "indented below nothing")
            field = self.field(line)
            if (below := self.peek()) and below.indent > level:
                if field.type in self.types or field.type in WIRE_SIZES:
                    self.fail(below, f"{field.type} has no fields of its own")
                field.struct = Struct(line.where, field.type, parent=struct)
                self.fields(field.struct, level + 1)
            if any(f.name == field.name for f in struct.fields):
                self.fail(line, f"{struct.name} has two fields {field.name}")
            if field.tag is not None and any(f.tag == field.tag for f in struct.fields):
                self.fail(line, f"{struct.name} has two fields with tag {field.tag}")
            struct.fields.append(field)

    def field(self, line):
        if len(line.words) < 2 or not re.fullmatch(r"[a-z][a-z0-9_]*", line.words[0]):
            self.fail(line, "expected 'name type ...'")
        match = re.fullmatch(r"(\[)?(\w+)(?(1)\])(\?)?([\d+-]+)?", line.words[1])
        if not match or (match[4] and not match[3]):
            self.fail(line, f"'{line.words[1]}' is not a type")
        field = Field(line.where, line.words[0], match[2], is_array=bool(match[1]), doc=line.doc)
        try:
            if match[3]:
                field.nullable = Versions.parse(match[4]) if match[4] else ALL
            words = iter(line.words[2:])
            for word in words:
                if word == "=":
                    field.default = next(words)
                elif word == "tag":
                    field.tag = int(next(words))
                elif word in ("ignorable", "inflexible"):
                    setattr(field, word, True)
                else:
                    field.versions = Versions.parse(word)
        except (ValueError, StopIteration) as error:
            self.fail(line, str(error) or "the line ends too early")
        return field

    def resolve(self, struct, shared, message, inside=()):
        """Finds the struct of every field; orders message.shared so that a struct follows those it holds."""
        inside += (struct,)
        for field in struct.fields:
            if field.struct:
                self.resolve(field.struct, shared, message, inside)
            elif field.type not in self.types and field.type not in WIRE_SIZES:
                if field.type not in shared:
                    raise SchemaError(f"{field.where}: no type {field.type}")
                if shared[field.type] in inside:
                    raise SchemaError(f"{field.where}: {field.type} holds itself")
                field.struct = shared[field.type]
                self.resolve(field.struct, shared, message, inside)
        if shared.get(struct.name) is struct and struct not in message.shared:
            message.shared.append(struct)
