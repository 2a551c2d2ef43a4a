"""One target under atheris: the engine keeps inputs that reach new edges of our modules.

Run by `python -m tests.fuzz`, in a process of its own, because the engine ends its process. What
the engine does not know, it is given: seeds made of real objects, and a mutation that understands
their form, in turn with its own. Instrumented are `node` and `consensus`; msgspec, msgpack and the
cryptography are machine code that the engine does not see into, so that edges are those of our own
checks before and after them.
"""

import sys
from pathlib import Path
from random import Random


def main(arguments: list[str]) -> None:
    """Fuzz: the target's name, the folder of its corpus, then options of libFuzzer."""
    import atheris

    name, corpus, *options = arguments
    with atheris.instrument_imports(include=["node", "consensus"]):
        from tests.fuzz.harness import examine
        from tests.fuzz.mutation import alter
        from tests.fuzz.targets import BY_NAME

    target = BY_NAME[name]
    folder = Path(corpus)
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (folder / f"seed-{number}").write_bytes(seed)

    def mutate(data: bytes, size_max: int, seed: int) -> bytes:
        random = Random(seed)
        if random.randrange(2):
            return bytes(atheris.Mutate(data, size_max))
        return alter(random, data or random.choice(target.seeds()), target.form)[:size_max]

    with target.opened() as read:
        atheris.Setup(
            [sys.argv[0], *options, corpus],
            lambda data: examine(target, read, data) and None,
            custom_mutator=mutate,
        )
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
