"""Each house rule notices what it is there for: a small clean checkout passes all of them, and one fault fails its rule."""

import document_rules  # noqa: F401  enters its rules
import pytest
import source_rules  # noqa: F401
from tree import RULES, Tree

CLEAN = {
    "CMakeLists.txt": "foreach(folder base io log duck app)\nendforeach()\n",
    "Makefile": ".PHONY: all demo\nall: ## Build\ndemo: all ## See\n",
    "README.md": "# Small\nRun `make demo`. See [how](docs/ARCHITECTURE.md#the-folders), `src/log/`, `src/*/*.h`.\n",
    "docs/ARCHITECTURE.md":
        "## The folders\n"
        "| floor | folder | its one job | may include (besides base, io) |\n|---|---|---|---|\n"
        "| 6 | `src/app/` | the wiring | all |\n| 3 | `src/scan/` | reads | log, duck |\n"
        "| 2 | `src/log/` | the log | – |\n| 2 | `src/duck/` | SQL | – |\n"
        "| 1 | `src/io/` | files | – |\n| 1 | `src/base/` | types | – |\n\n"
        "| step | function | file |\n|---|---|---|\n| written | `Log::append` | `src/log/log.h` |\n",
    "scripts/setup": "npm pack duckdb\ncurl http://127.0.0.1:5000/\n",
    "src/app/main.cpp": "#include \"log/log.h\"\n#include <CLI/CLI.hpp>\n#include <cstdlib>\nauto home = std::getenv(\"HOME\");\n",
    "src/base/types.h": "#pragma once\n#include <string>\n",
    "src/duck/CMakeLists.txt": "questlog_library(duck DEPENDS base)\n",
    "src/duck/raw.h": "#pragma once\n#include <duckdb.h>\n",
    "src/duck/duck.cpp": "#include \"duck/raw.h\"\n",
    "src/duck/rows.h": "#pragma once\n#include \"duck/raw.h\"\n",
    "src/io/clock.cpp": "auto now() { return std::chrono::system_clock::now(); }\n",
    "src/log/CMakeLists.txt": "questlog_library(log DEPENDS base io)\n",
    "src/log/log.h": "#pragma once\n#include \"base/types.h\"\nstruct Log { void append(); };\n",
    "src/log/log.cpp": "// never calls time(nullptr) or getenv(\"X\")\nauto text = \"sleep(1)\"; auto t = event.time();\n",
    "src/log/log_test.cpp": "#include \"log/log.h\"\n#include <gtest/gtest.h>\nauto file = \"golden/log/first.bin\";\n",
    "src/log/segment_fuzz.cpp": "#include \"log/log.h\"\n",
    "src/log/corpus/segment_fuzz/empty": "",
    "src/scan/CMakeLists.txt": "questlog_library(scan DEPENDS base log duck LIBRARIES fmt::fmt)\n",
    "src/scan/plan.cpp": "#include \"log/log.h\"\n#include <sys/stat.h>\n",
    "tests/golden/log/first.bin": "bytes",
    "tests/e2e/test_flow.py": "wait_until(ready)\n",
}

FAULTS = [
    ("include_table_is_sound", "src/live/live.h", "#pragma once\n", "src/live/ has no row"),
    ("include_table_is_sound", "docs/ARCHITECTURE.md", "| 2 | `src/gone/` | – | – |\n", "src/gone/, which is not there"),
    ("include_table_is_sound", "docs/ARCHITECTURE.md", "| 2 | `src/log/` | the log | duck |\n", "duck, which is on no lower"),
    ("includes_keep_to_the_table", "src/log/log.cpp", "#include \"scan/plan.h\"\n", "\"scan/plan.h\" is no file"),
    ("includes_keep_to_the_table", "src/log/log.cpp", "#include \"duck/raw.h\"\n", "src/log/ may not include"),
    ("includes_keep_to_the_table", "src/base/types.h", "#pragma once\n#include \"log/log.h\"\n", "src/base/ may not include"),
    ("libraries_keep_to_the_table", "src/log/CMakeLists.txt", "questlog_library(log DEPENDS base duck)\n", "may not link duck"),
    ("third_party_headers_stay_home", "src/log/log.cpp", "#include <duckdb.h>\n", "<duckdb.h> belongs in duck"),
    ("third_party_headers_stay_home", "src/log/log.cpp", "#include <absl/strings/cord.h>\n", "does not know it"),
    ("third_party_headers_stay_home", "src/scan/plan.cpp", "#include \"duck/raw.h\"\n", "would bring <duckdb.h>"),
    ("third_party_headers_stay_home", "src/scan/plan.cpp", "#include \"duck/rows.h\"\n", "would bring <duckdb.h>"),
    ("stages_leave_the_world_to_io", "src/log/log.cpp", "auto t = std::chrono::steady_clock::now();\n", "log.cpp:1"),
    ("stages_leave_the_world_to_io", "src/log/log.cpp", "/* two\nlines */ auto t = time(nullptr);\n", "log.cpp:2"),
    ("stages_leave_the_world_to_io", "src/log/log.cpp", "auto home = std::getenv(\"HOME\");\n", "the environment"),
    ("stages_leave_the_world_to_io", "src/log/log.cpp", "int n = 1'000; int dice = rand();\n", "entropy"),
    ("stages_leave_the_world_to_io", "src/log/log.cpp", "std::this_thread::sleep_for(second);\n", "a sleep"),
    ("tests_do_not_sleep", "src/log/log_test.cpp", "std::this_thread::sleep_for(second);\n", "a sleep"),
    ("tests_do_not_sleep", "tests/sim/pipeline_test.cpp", "usleep(1000);\n", "a sleep"),
    ("tests_do_not_sleep", "tests/e2e/test_flow.py", "import time\ntime.sleep(1)\n", "test_flow.py:2"),
    ("files_are_short", "src/log/log.cpp", "\n" * 401, "401 lines"),
    ("headers_are_guarded", "src/log/log.h", "struct Log { void append(); };\n", "no #pragma once"),
    ("tests_are_built", "src/log/deep/batch_test.cpp", "", "no CMake target"),
    ("tests_are_built", "tests/batch_test.cpp", "", "no CMake target"),
    ("tests_are_built", "src/log/batch_fuzz.cpp", "", "corpus/batch_fuzz/ holds no input"),
    ("links_lead_somewhere", "README.md", "[how](docs/HOW.md)\n", "docs/HOW.md is not there"),
    ("links_lead_somewhere", "README.md", "[how](docs/ARCHITECTURE.md#why)\n", "no heading #why"),
    ("named_files_exist", "README.md", "see `src/log/gone.cpp`\n", "src/log/gone.cpp is not there"),
    ("named_files_exist", "README.md", "see `src/*/*.rs`\n", "src/*/*.rs is not there"),
    ("named_make_targets_exist", "README.md", "```\nmake dance\n```\n", "no target dance"),
    ("make_targets_are_documented", "Makefile", ".PHONY: all demo\nall: ## Build\ndemo: all\n", "demo says nothing"),
    ("named_functions_exist", "docs/LIFE.md", "| step | function |\n|---|---|\n| lands | `Table::land` |\n", "no Table::land"),
    ("nothing_is_left_unfinished", "src/log/log.cpp", "// TO" "DO: sync\n", "log.cpp:1"),
    ("nothing_is_left_unfinished", "docs/LIFE.md", "It is slow for " "now.\n", "for " "now"),
    ("golden_files_are_compared", "tests/golden/log/second.bin", "bytes", "second.bin: no test names it"),
    ("set_up_names_no_host", "cluster/conf/pip.conf", "index=https://mirror.example.com/simple\n", "mirror.example.com"),
    ("set_up_names_no_host", "scripts/setup", "curl https://registry.example.com/duckdb\n", "registry.example.com"),
]


@pytest.fixture
def clean(tmp_path):
    for name, text in CLEAN.items():
        plant(tmp_path, name, text)
    return Tree(tmp_path)


def plant(root, name, text):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def named(name):
    return next(rule for rule in RULES if rule.__name__ == name)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_clean_checkout_passes(clean, rule):
    assert rule(clean) == []


@pytest.mark.parametrize(("rule", "name", "text", "says"), FAULTS, ids=lambda value: None)
def test_a_fault_is_noticed(clean, rule, name, text, says):
    if name == "docs/ARCHITECTURE.md":
        text = CLEAN[name].replace("| 2 | `src/log/` | the log | – |\n", text)
    plant(clean.root, name, text)
    violations = named(rule)(clean)
    assert any(says in violation for violation in violations), violations


def test_every_rule_has_a_fault_that_it_notices():
    assert {rule.__name__ for rule in RULES} == {fault[0] for fault in FAULTS}
