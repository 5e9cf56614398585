# The two commands of a fresh machine. Each keeps its environment beside the project.
PYTHON ?= python3
KERNEL_TESTS = tests/test_codec.py tests/test_codec_damage.py tests/test_decoders.py tests/test_encoding.py \
	'tests/faults/fuzz/test_fuzz.py::test_any_bytes[segment]'
STORE_TESTS = tests/test_codec.py tests/test_codec_damage.py tests/test_decoders.py tests/test_encoding.py \
	tests/test_index.py tests/test_keeping.py tests/test_repair.py tests/test_store_edges.py tests/test_store_refusals.py \
	tests/test_whoosh_face.py tests/test_writing.py tests/faults/fuzz tests/faults/test_faulting.py \
	tests/faults/test_manifest.py tests/faults/test_protocol.py tests/faults/test_truncated.py newsindex/store

.PHONY: demo test faults bounds coverage bench clean

demo: .venv/installed-demo
	.venv/bin/newsindex demo

test: .venv/installed-test
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/pytest -n 2 --dist loadfile

# Some 45 minutes: every fault at full size, and a table of what was measured. `make test` has a sample of each.
faults: .venv/installed-test
	NEWSINDEX_FAULTS=full .venv/bin/pytest -s tests/faults

# Some five minutes: kernels compiled anew, so that each index out of bounds is an error.
bounds: .venv/installed-test
	NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR=.venv/bounds .venv/bin/pytest $(KERNEL_TESTS) tests/test_batch_tokenizer.py \
		tests/test_heap.py tests/test_top.py tests/test_sets.py tests/test_occurrences.py tests/test_wordings.py \
		tests/test_scoring.py tests/test_oracle.py tests/test_snippets.py

# Some six minutes: which branches of store and codec the tests take. What is compiled cannot be followed, so kernels run
# without the compiler too, on tests that end.
coverage: .venv/installed-test
	.venv/bin/coverage erase
	NUMBA_DISABLE_JIT=1 NEWSINDEX_FUZZ=2000 .venv/bin/coverage run -m pytest $(KERNEL_TESTS)
	.venv/bin/coverage run --append -m pytest $(STORE_TESTS)
	.venv/bin/coverage report

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
