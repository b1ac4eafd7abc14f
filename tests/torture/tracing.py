"""Commands under strace, which makes their n-th system call fail, or kills them at it.

strace traces from beside (-D): the process that is started is questlog itself, with its pid and its exit code.
An injected error means that the call did not happen. Calls are counted for each thread by itself.
"""

import re
from dataclasses import dataclass

WRITING = ("pwrite64", "fdatasync", "fsync", "msync", "ftruncate", "rename", "renameat2", "unlink")
LINE = re.compile(r"(\d+) +(\w+)\((.*)")


def traced(log, calls, *injections):
    """A launcher: what stands before the command."""
    options = [option for injection in injections for option in ("-e", f"inject={injection}")]
    return ["strace", "-D", "-f", "-qq", "-y", "-s", "256", "-o", str(log), "-e", f"trace={','.join(calls)}",
            "-e", "signal=none", *options]


@dataclass
class Call:
    name: str
    nth: int        # of its name in its thread, from 1
    text: str
    injected: bool

    def touches(self, text):
        return text in self.text


def read_calls(log):
    """What a trace wrote down, in order."""
    calls, seen = [], {}
    for line in log.read_text(errors="replace").splitlines():
        found = LINE.match(line)
        if found:
            thread, name, text = found.groups()
            seen[thread, name] = seen.get((thread, name), 0) + 1
            calls.append(Call(name, seen[thread, name], text, "(INJECTED)" in text))
        elif "resumed>" in line and "(INJECTED)" in line:
            calls.append(Call(line.split("<... ")[1].split()[0], 0, line, True))
    return calls
