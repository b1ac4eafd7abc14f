"""A handful of each part of `make torture`, so that what it is made of keeps working. All of it takes minutes."""

import io
import shutil

import pytest
from casework import Course
from parts import PARTS, QUICK_CASES

SEED = 20


@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", PARTS)
def test_a_handful_of_cases(tmp_path, name):
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    course = Course(SEED, tmp_path, jobs=2)
    book, _ = course.run(PARTS[name](QUICK_CASES[name]))
    assert not course.failures, course.failures[0].story
    assert book.counts


def test_a_broken_promise_is_told_with_what_shows_it_again(tmp_path):
    class Broken(PARTS["kills"](3).__class__):
        def case(self, number, chance, folder, book):
            (folder / "data").write_text("kept")
            assert number != 1, f"lost {chance.random()}"

    terminal = io.StringIO()
    course = Course(SEED, tmp_path, 2, terminal)
    course.run(Broken(3))
    failure, = course.failures
    assert failure.number == 1 and "lost" in failure.story and "FAILED" in terminal.getvalue()
    assert sorted(path.name for path in (tmp_path / "kills").iterdir()) == ["1"]
    assert (failure.folder / "data").read_text() == "kept"
    again = Course(SEED, tmp_path / "again", 1, terminal)
    again.run(Broken(3), only=1)
    assert str(again.failures[0]) == str(failure), "the same seed and number, and another case"
