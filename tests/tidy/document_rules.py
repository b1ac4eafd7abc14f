"""Rules about documents and words. Each takes a Tree and returns its violations, one line of text each."""

import re
from tree import line_of, read, rule

LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
NAMED_PATH = re.compile(r"`((?:src|docs|tests|scripts|cmake|bench|notebooks|cluster|web|\.ci)/[\w./*-]*|\w+\.md|Makefile)`")
CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
FUNCTION_TABLE = re.compile(r"^\|[^\n]*\bfunction\b[^\n]*\|\n\|[-| :]+\|\n((?:\|[^\n]*\|\n)+)", re.MULTILINE)

# Split, so that this file does not break its own rule.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b|(?i:\bfor " r"now\b)")


def documents(tree):
    return tree.files("*.md") + tree.files("docs/**/*.md") + tree.files("cluster/*.md")


def anchor_of(heading):
    """A heading's anchor, as code hosts make it."""
    return re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", heading.strip().lower()))


def anchors(path):
    return {anchor_of(heading) for heading in re.findall(r"^#+\s+(.*)$", read(path), re.MULTILINE)}


@rule
def links_lead_somewhere(tree):
    found = []
    for path in documents(tree):
        text = read(path)
        for link in LINK.finditer(text):
            target, _, anchor = link[1].partition("#")
            if re.match(r"[a-z]+:", target):
                continue
            where = f"{tree.name(path)}:{line_of(text, link.start())}"
            goal = path.parent / target if target else path
            if not goal.exists():
                found.append(f"{where}: {link[1]} is not there")
            elif anchor and goal.suffix == ".md" and anchor not in anchors(goal):
                found.append(f"{where}: {target or tree.name(path)} has no heading #{anchor}")
    return found


@rule
def named_files_exist(tree):
    """`src/x/y.cpp` and its like in documents: files, folders, or globs that match."""
    return [f"{tree.name(path)}:{line_of(text, name.start())}: {name[1]} is not there"
            for path in documents(tree) if (text := read(path))
            for name in NAMED_PATH.finditer(text)
            if not tree.exists(name[1]) and not (path.parent / name[1]).exists()]


@rule
def named_make_targets_exist(tree):
    targets = set(re.findall(r"^([a-z][\w-]*):", read(tree.root / "Makefile"), re.MULTILINE))
    found = []
    for path in documents(tree):
        text = read(path)
        for block in CODE.finditer(text):
            for call in re.finditer(r"(?:^|[`\s;&])make ([a-z][\w-]*)", block.group(), re.MULTILINE):
                if call[1] not in targets:
                    found.append(f"{tree.name(path)}:{line_of(text, block.start() + call.start())}: "
                                 f"the Makefile has no target {call[1]}")
    return found


@rule
def make_targets_are_documented(tree):
    text = read(tree.root / "Makefile")
    documented = set(re.findall(r"^([a-z][\w-]*):.*## \S", text, re.MULTILINE))
    phony = set(re.search(r"^\.PHONY:(.*)$", text, re.MULTILINE)[1].split())
    return [f"Makefile: {target} says nothing in `make help`, or is not in .PHONY" for target in sorted(phony ^ documented)]


@rule
def named_functions_exist(tree):
    """In a document's table with a column of functions, the last name of each `A::b` is found in src/."""
    sources = "\n".join(read(path) for path in tree.sources())
    found = []
    for path in documents(tree):
        text = read(path)
        for table in FUNCTION_TABLE.finditer(text):
            column = next(number for number, cell in enumerate(table.group().splitlines()[0].split("|"))
                          if "function" in cell)
            for row in table[1].splitlines():
                for name in re.findall(r"`([\w:]+)`", row.split("|")[column]):
                    if not re.search(rf"\b{name.rsplit('::', 1)[-1]}\b", sources):
                        found.append(f"{tree.name(path)}: no {name} in src/")
    return found


@rule
def nothing_is_left_unfinished(tree):
    return [f"{tree.name(path)}:{line_of(text, word.start())}: \"{word.group()}\""
            for path in tree.texts() if (text := read(path)) for word in UNFINISHED.finditer(text)]


@rule
def golden_files_are_compared(tree):
    """Each file under tests/golden/ is named by a test: itself, by a glob that fits it, or by the folder it lies in."""
    tests = "\n".join(read(path) for path in tree.files("tests/**/*.py") + tree.sources("tests")
                      + tree.files("src/**/*_test.cpp") if "tests/tidy/" not in tree.name(path))
    globs = [re.escape(glob).replace(r"\*", "[^/]*") for glob in re.findall(r"[\w./-]*\*[\w./*-]*\w", tests)]
    found = []
    for path in tree.files("tests/golden/**/*"):
        parts = tree.name(path).removeprefix("tests/golden/").split("/")
        known = (path.name == "README.md" or path.name in tests or any(re.fullmatch(glob, path.name) for glob in globs)
                 or (len(parts) > 2 and re.search(rf"\b{re.escape(parts[-2])}\b", tests)))
        if not known:
            found.append(f"{tree.name(path)}: no test names it")
    return found


@rule
def set_up_names_no_host(tree):
    """Downloads go through package clients as they are configured: what installs and builds names no address."""
    found = []
    for path in (tree.files("scripts/*") + tree.files("cmake/*") + tree.files("**/CMakeLists.txt") + tree.files(".ci/*")
                 + tree.files("Makefile") + tree.files("tests/requirements.txt") + tree.files("Dockerfile")
                 + tree.files("compose.yaml") + [path for path in tree.files("cluster/**/*") if path.suffix != ".md"]):
        text = read(path)
        for address in re.finditer(r"https?://(?!127\.0\.0\.1|localhost)[\w$.{}-]+\.[a-z]{2,}", text):
            found.append(f"{tree.name(path)}:{line_of(text, address.start())}: {address.group()}")
    return found
