"""What the sanitizers' builds need in their environment, as cmake/QuestlogTargets.cmake has it for the unit tests."""

from pathlib import Path

CMAKE = Path(__file__).resolve().parents[2] / "cmake"
OPTIONS = {
    # A small quarantine: memory that looks like a leak's is one. No leak is looked for in what strace traces.
    "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1:quarantine_size_mb=16:detect_leaks=0",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": f"suppressions={CMAKE}/tsan.supp:halt_on_error=1",
}
SIGNS = ("Sanitizer", "runtime error:")


def set_options(environment):
    for name, value in OPTIONS.items():
        environment.setdefault(name, value)


def assert_silent(output):
    for sign in SIGNS:
        assert sign not in output, output
