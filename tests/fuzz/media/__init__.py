"""Coverage-guided fuzzing of everything that reads what a stranger or a client sent.

`python -m tests.fuzz.media TARGET --seconds 60` needs atheris (`pip install atheris`; 60 MB and not for every platform,
so it is no locked dependency). Inputs that broke something are kept below `tests/fuzz/corpus/TARGET`, beside a few good
ones; `make test` only replays them.
"""
