"""Rules about sources. Each takes a Tree and returns its violations, one line of text each."""

import re
from tree import code, line_of, read, rule

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.MULTILINE)
TABLE_ROW = re.compile(r"^\|\s*(\d+)\s*\|\s*`src/(\w+)/`\s*\|[^|]*\|\s*([^|]*?)\s*\|\s*$", re.MULTILINE)
SOURCE_LINES_MAX = 400

# Where each third-party library may be named. A header that brings one, by others or itself, is seen there only.
THIRD_PARTY = {
    "duckdb.h": {"duck"},
    "boost/beast/": {"http"},
    "boost/unordered/": {"collect"},
    "boost/uuid/": {"kafka"},
    "simdjson.h": {"event", "hdfs"},  # events; WebHDFS's answers
    "CLI/": {"app"},
    "toml++/": {"app"},
    "prometheus/": {"base"},
    "spdlog/": {"base"},
    "lz4frame.h": {"base"},
    "xxhash.h": {"event"},
    "zlib.h": {"base", "http"},  # the log's batches, clients' bodies
    "zstd.h": {"base", "http"},
    "zstd_errors.h": {"base", "http"},
    "curl/": {"hdfs"},
    "librdkafka/": {"kafka"},
    "openssl/": {"hdfs"},
    "fmt/": None,  # everywhere
    "gtest/": None,
    "gmock/": None,
    "benchmark/": None,
}
STANDARD_OR_SYSTEM = re.compile(r"[a-z0-9_]+|(sys|netinet|arpa|net|linux)/[a-z0-9_]+\.h|[a-z0-9_]+\.h")

SLEEP = r"\bsleep_(for|until)\b|(?<![\w.>])(?<!void )(sleep|usleep|nanosleep)\s*\("  # but declaring Clock's is none
BANNED_IN_STAGES = {
    r"_clock::now\s*\(": "system time; take Env's clock",
    r"(?<![\w.>])(time\s*\(\s*(nullptr|NULL|0|&)|clock\s*\(\s*\)|(gettimeofday|clock_gettime)\s*\()":
        "system time; take Env's clock",
    r"\b(secure_)?getenv\s*\(": "the environment; only app/ reads it",
    r"(?<![\w.>])(std::)?(rand|srand|random|getrandom|getentropy)\s*\(|\brandom_device\b": "entropy; take Env's",
    SLEEP: "a sleep; wait for the condition",
}
OWN_WORLD = {"io", "app"}


def include_rows(tree):
    """docs/ARCHITECTURE.md's table: folder -> (floor, folders it may include)."""
    rows = {}
    for floor, folder, allowed in TABLE_ROW.findall(read(tree.root / "docs/ARCHITECTURE.md")):
        rows[folder] = int(floor), None if allowed == "all" else set(re.findall(r"\w+", allowed))
    return rows


def allowed_folders(rows, folder):
    _, allowed = rows[folder]
    if folder == "base":
        return {"base"}
    return set(rows) if allowed is None else allowed | {"base", "io", folder}


def folder_of(tree, path):
    return tree.name(path).split("/")[1]


@rule
def include_table_is_sound(tree):
    """Every folder has a row, every row a folder, and each includes lower floors only: so stages never meet."""
    rows = include_rows(tree)
    folders = {path.name for path in (tree.root / "src").iterdir() if path.is_dir()}
    found = [f"docs/ARCHITECTURE.md: src/{name}/ has no row in the include table" for name in sorted(folders - set(rows))]
    found += [f"docs/ARCHITECTURE.md: the include table names src/{name}/, which is not there"
              for name in sorted(set(rows) - folders)]
    for folder, (floor, allowed) in rows.items():
        for other in sorted(allowed or ()):
            if other not in rows:
                found.append(f"docs/ARCHITECTURE.md: src/{folder}/ may include {other}, which has no row")
            elif rows[other][0] >= floor:
                found.append(f"docs/ARCHITECTURE.md: src/{folder}/ may include {other}, which is on no lower floor")
    return found


@rule
def includes_keep_to_the_table(tree):
    rows = include_rows(tree)
    found = []
    for path in tree.sources():
        folder, text = folder_of(tree, path), read(path)
        if folder not in rows:
            continue  # include_table_is_sound tells
        for include in INCLUDE.finditer(text):
            if include[1] != '"':
                continue
            where = f"{tree.name(path)}:{line_of(text, include.start())}"
            if not (tree.root / "src" / include[2]).is_file():
                found.append(f"{where}: \"{include[2]}\" is no file under src/")
            elif include[2].split("/")[0] not in allowed_folders(rows, folder):
                found.append(f"{where}: src/{folder}/ may not include \"{include[2]}\"")
    return found


@rule
def libraries_keep_to_the_table(tree):
    """src/*/CMakeLists.txt link what the table lets them include, and nothing else."""
    rows = include_rows(tree)
    found = []
    for path in tree.files("src/*/CMakeLists.txt"):
        folder = folder_of(tree, path)
        depends = re.search(r"DEPENDS([\sa-z]*)", read(path))
        for other in depends[1].split() if depends else ():
            if folder in rows and other not in allowed_folders(rows, folder):
                found.append(f"{tree.name(path)}: src/{folder}/ may not link {other}")
    return found


def third_party_home(header):
    """None: standard, system, or allowed everywhere; else the folders it may be in (none: unknown)."""
    for prefix, folders in THIRD_PARTY.items():
        if header == prefix or (prefix.endswith("/") and header.startswith(prefix)):
            return folders
    return None if STANDARD_OR_SYSTEM.fullmatch(header) else set()


@rule
def third_party_headers_stay_home(tree):
    found, adapters = [], {}
    for path in tree.sources():
        text, folder = read(path), folder_of(tree, path)
        for include in INCLUDE.finditer(text):
            home = third_party_home(include[2]) if include[1] == "<" else None
            if home is None:
                continue
            if folder not in home:
                found.append(f"{tree.name(path)}:{line_of(text, include.start())}: <{include[2]}> belongs in "
                             f"{' or '.join(sorted(home)) or 'no folder; THIRD_PARTY in source_rules.py does not know it'}")
            elif path.suffix == ".h":
                adapters[tree.name(path).removeprefix("src/")] = include[2]
    headers = [path for path in tree.sources() if path.suffix == ".h"]
    while more := {name: adapters[include[2]] for path in headers if (name := tree.name(path).removeprefix("src/")) not in adapters
                   for include in INCLUDE.finditer(read(path)) if include[2] in adapters}:
        adapters |= more
    for path in tree.sources():
        for include in INCLUDE.finditer(read(path)):
            if include[2] in adapters and folder_of(tree, path) not in third_party_home(adapters[include[2]]):
                found.append(f"{tree.name(path)}: \"{include[2]}\" would bring <{adapters[include[2]]}> here")
    return found


def matches(tree, path, text, patterns):
    for pattern, reason in patterns.items():
        for call in re.finditer(pattern, text):
            yield f"{tree.name(path)}:{line_of(text, call.start())}: {call.group().strip()} is {reason}"


@rule
def stages_leave_the_world_to_io(tree):
    """No system time, environment, entropy or sleep outside io/ and app/. Measuring programs may look at the clock."""
    return [violation for path in tree.sources()
            if folder_of(tree, path) not in OWN_WORLD and not path.stem.endswith(("_test", "_bench"))
            for violation in matches(tree, path, code(read(path)), BANNED_IN_STAGES)]


@rule
def tests_do_not_sleep(tree):
    found = []
    for path in tree.files("src/**/*_test.cpp") + tree.sources("tests"):
        found += matches(tree, path, code(read(path)), {SLEEP: "a sleep; wait for the condition, with a deadline"})
    for path in tree.files("tests/**/*.py"):
        if "tests/tidy/" not in tree.name(path):
            found += matches(tree, path, re.sub(r"#.*", "", read(path)),
                             {r"\btime\.sleep\b|(?<![\w.])sleep\(": "a sleep; wait for the condition, with a deadline"})
    return found


@rule
def files_are_short(tree):
    return [f"{tree.name(path)}: {lines} lines, more than {SOURCE_LINES_MAX}" for path in tree.texts()
            if (lines := read(path).count("\n")) > SOURCE_LINES_MAX]


@rule
def headers_are_guarded(tree):
    return [f"{tree.name(path)}: no #pragma once" for path in tree.sources() + tree.sources("tests")
            if path.suffix == ".h" and "#pragma once" not in read(path)]


@rule
def tests_are_built(tree):
    """Each *_test.cpp, *_bench.cpp and *_fuzz.cpp lies where CMake's globs find it, and each fuzz target has a corpus."""
    build = read(tree.root / "CMakeLists.txt")
    listed = re.search(r"foreach\(folder ([\w ]+)\)", build)[1].split()
    globbed = {folder for folder in listed
               if (tree.root / f"src/{folder}/CMakeLists.txt").is_file()
               and f"questlog_library({folder}" in read(tree.root / f"src/{folder}/CMakeLists.txt")}
    found = []
    for path in tree.files("**/*.cpp"):
        name = tree.name(path)
        if not path.stem.endswith(("_test", "_bench", "_fuzz")) or name == "tests/fuzz_replay.cpp":
            continue
        folder = name.rpartition("/")[0]
        if folder != "tests/sim" and folder.removeprefix("src/") not in globbed:
            found.append(f"{name}: no CMake target builds it")
        if path.stem.endswith("_fuzz") and not tree.files(f"{folder}/corpus/{path.stem}/*"):
            found.append(f"{name}: {folder}/corpus/{path.stem}/ holds no input")
    return found
