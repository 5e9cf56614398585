# The two commands of a fresh machine. Each keeps its environment beside the project.
PYTHON ?= python3

.PHONY: demo test faults bench clean

demo: .venv/installed-demo
	.venv/bin/newsindex demo

test: .venv/installed-test
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/pytest

# Some 45 minutes: every fault at full size, and a table of what was measured. `make test` has a sample of each.
faults: .venv/installed-test
	NEWSINDEX_FAULTS=full .venv/bin/pytest -s tests/faults

bench: .venv/installed-test
	.venv/bin/pytest benchmarks

.venv/bin/pip:
	$(PYTHON) -m venv .venv

.venv/installed-demo: .venv/bin/pip pyproject.toml
	.venv/bin/pip install --quiet --disable-pip-version-check -e ".[html]"
	touch $@

.venv/installed-test: .venv/bin/pip pyproject.toml
	.venv/bin/pip install --quiet --disable-pip-version-check -e ".[test]"
	touch $@ .venv/installed-demo

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis
