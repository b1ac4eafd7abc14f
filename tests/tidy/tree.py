"""The checkout as the rules see it: its files, and C++ without comments and string literals."""

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOT_OURS = {".git", ".deps", ".venv", ".cache", "build", "dist", "data", "data-demo", ".state", "__pycache__", ".pytest_cache"}
TEXT_SUFFIXES = {".cpp", ".h", ".py", ".md", ".txt", ".cmake", ".toml", ".sh", ".ini", ".json", ".supp", ".yml", ""}

RULES = []


def rule(function):
    """Enters a rule: a function of a Tree, named by what holds, that returns its violations, one line of text each."""
    RULES.append(function)
    return function


class Tree:
    def __init__(self, root):
        self.root = Path(root)

    def files(self, pattern="**/*"):
        """Our files that match the glob, in order."""
        return [path for path in sorted(self.root.glob(pattern))
                if path.is_file() and not NOT_OURS.intersection(self.name(path).split("/"))]

    def texts(self):
        """Our files that people wrote: no golden bytes, corpora, or licence."""
        return [path for path in self.files()
                if path.suffix in TEXT_SUFFIXES and path.name != "LICENSE"
                and not {"golden", "corpus"}.intersection(self.name(path).split("/"))]

    def sources(self, folder="src"):
        return self.files(f"{folder}/**/*.h") + self.files(f"{folder}/**/*.cpp")

    def name(self, path):
        return path.relative_to(self.root).as_posix()

    def exists(self, name):
        return any(True for _ in self.root.glob(name.rstrip("/"))) if "*" in name else (self.root / name).exists()


@cache
def read(path):
    return path.read_text(encoding="utf-8", errors="replace")


_COMMENT_OR_LITERAL = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<mark>[^(\s]*)\(.*?\)(?P=mark)"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.DOTALL)


def code(text):
    """C++ with comments and literals blanked, and every line where it was."""
    def blank(found):
        gone = found.group()
        return ("" if gone.startswith("/") else '""') + "\n" * gone.count("\n")
    # A digit separator is no quote.
    return _COMMENT_OR_LITERAL.sub(blank, re.sub(r"(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])", "", text))


def line_of(text, position):
    return text.count("\n", 0, position) + 1
