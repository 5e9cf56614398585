"""Hunt for long, and keep what is found.

A case that fails is made small and written to tests/faults/fuzz/corpus/<target>/, and `make test` runs it from then on.
`--guided`, for one target, needs atheris (https://github.com/google/atheris), which sees what lines a case reaches.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from time import monotonic

from tests.faults.fuzz.hunt import CORPUS, Finding, hunt, outcome, smaller
from tests.faults.fuzz.targets import Target, targets


def keep(target: Target, found: Finding) -> None:
    folder = CORPUS / target.name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / found.name).write_bytes(found.data)
    print(f"{target.name} {found.name} {found.what}\n    {found.data[:300]!r}", flush=True)


def guided(name: str, seconds: int) -> None:
    import atheris  # type: ignore[import-not-found,unused-ignore]

    # The compiler takes kernels as they are only.
    root = CORPUS.parents[3]
    kernels = [".".join(path.relative_to(root).with_suffix("").parts) for path in root.glob("newsindex/**/*kernel.py")]
    with atheris.instrument_imports(include=["newsindex"], exclude=kernels):
        target = targets()[name]
    seen = set()

    def run(data: bytes) -> None:
        what = outcome(target, data)
        if what is not None and what.split(": ", 1)[0] not in seen:
            seen.add(what.split(": ", 1)[0])
            keep(target, smaller(target, Finding(data, what)))

    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(target.seeds or [target.case(number) for number in range(50)]):
            Path(folder, f"{number}").write_bytes(seed)
        words = Path(folder, "words")
        words.write_text("".join('"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n' for word in target.words))
        options = [f"-max_total_time={seconds}", "-max_len=4096", f"-dict={words}", "-timeout=30", "-rss_limit_mb=4096"]
        atheris.Setup([sys.argv[0], *options, folder], run)
        atheris.Fuzz()


def main() -> None:
    parser = argparse.ArgumentParser(
        "python -m tests.faults.fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=10_000, help="of the quickest targets; of others fewer")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first case")
    parser.add_argument("--guided", type=int, metavar="SECONDS", help="for so long")
    parser.add_argument("targets", nargs="*")
    arguments = parser.parse_args()
    if arguments.guided:
        guided(arguments.targets[0], arguments.guided)
        return
    known = targets()
    for name in arguments.targets or known:
        target = known[name]
        begun = monotonic()
        cases = max(1, arguments.cases // target.cost)
        for found in hunt(target, arguments.first, arguments.first + cases):
            keep(target, found)
        print(f"{name}: {cases:,} cases, {monotonic() - begun:.1f} s", flush=True)


if __name__ == "__main__":
    main()
