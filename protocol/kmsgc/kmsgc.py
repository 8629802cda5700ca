#!/usr/bin/env python3
"""kmsgc OUTPUT_DIR SCHEMA_DIR: compiles all schemas below SCHEMA_DIR to C++ in OUTPUT_DIR.

A file whose text stays the same is left alone, so a changed schema recompiles its own users only.
"""
import pathlib
import sys

import cpp
import schema
import table


def load(folder):
    """All schema files below a folder, ordered by path, and the names of types.kmsg."""
    types = schema.parse_types(folder / "types.kmsg")
    files = [schema.parse_file(p, types) for p in sorted(folder.rglob("*.kmsg")) if p.name != "types.kmsg"]
    check(files)
    return files, types


def check(files):
    seen = {}
    for file in files:
        names = [f"file {file.stem}"] + [f"message {m.name}" for m in file.messages]
        names += [f"{m.kind} {m.key} of {file.path.parent.name}" for m in file.messages if m.key >= 0]
        for name in names:
            if name in seen:
                raise schema.SchemaError(f"{file.path}: {name} is also in {seen[name]}")
            seen[name] = file.path


def generate(files, types):
    """Name of each output and its text."""
    outputs = {"api.gen.h": cpp.api_table(files), "message_table.gen.cc": cpp.message_table(files),
               "testing/random_messages.gen.cc": cpp.random_table(files),
               "schema_table.gen.cc": table.table(files, types)}
    writers = {file.stem: [cpp.MessageWriter(m, types) for m in file.messages] for file in files}
    outputs |= cpp.codecs(files, writers)
    for shard in range(cpp.RANDOM_SHARDS):
        outputs[f"testing/random_messages_{shard}.gen.cc"] = cpp.random_shard(files, shard)
    for file in files:
        outputs[f"{file.stem}.gen.h"] = cpp.header(file, writers[file.stem])
        outputs[f"{file.stem}.walk.gen.h"] = cpp.walk_header(file, writers[file.stem])
    return {name: "\n".join(lines) + "\n" for name, lines in outputs.items()}


def main(arguments):
    if len(arguments) != 2:
        return __doc__
    output, folder = map(pathlib.Path, arguments)
    try:
        outputs = generate(*load(folder))
    except schema.SchemaError as error:
        return str(error)
    (output / "testing").mkdir(parents=True, exist_ok=True)
    for name, text in outputs.items():
        path = output / name
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
