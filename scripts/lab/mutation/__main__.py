"""`scripts/mutate`: tells which of the kept mutations no named test notices."""

import argparse
import sys
from collections.abc import Sequence

from .catalogue import StaleMutationError, mutations, selected
from .play import Verdict, play, run_tests, work_tree

ASKED = 0.95
"""Share of mutations that a named test has to notice."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Play mutations and return 0 when enough of them were noticed, 1 when not, 4 when the list is wrong."""
    parser = argparse.ArgumentParser(prog="mutate", description=__doc__)
    parser.add_argument("names", nargs="*", help="mutations to play, all where none is named")
    parser.add_argument("--list", action="store_true", help="print the mutations and the harm each would do")
    parser.add_argument("--everything", action="store_true", help="run all fast tests, not the named ones (slow)")
    options = parser.parse_args(arguments)
    try:
        chosen = selected(mutations(), options.names)
        if options.list:
            for mutation in chosen:
                print(f"{mutation.name}: {mutation.harm}")
            return 0
        with work_tree() as folder:
            named = sorted({test for mutation in chosen for test in mutation.noticed_by})
            status, output = run_tests(folder, named)
            if status:
                print(f"The tests fail before anything was changed:\n{output}", file=sys.stderr)
                return 4
            verdicts = []
            for mutation in chosen:
                verdicts.append(play(mutation, folder, everything=options.everything))
                print("noticed " if verdicts[-1].noticed else "SURVIVED", mutation.name, flush=True)
    except (StaleMutationError, OSError) as error:
        print(f"mutate: {error}", file=sys.stderr)
        return 4
    return report(verdicts)


def report(verdicts: Sequence[Verdict]) -> int:
    """Print the share that was noticed and the harm of each survivor; return the exit status."""
    survivors = [verdict.mutation for verdict in verdicts if not verdict.noticed]
    for mutation in survivors:
        print(f"\n{mutation.name} ({mutation.file}): {mutation.harm}\n  - {mutation.find}\n  + {mutation.replace}")
        print(f"  not noticed by {', '.join(mutation.noticed_by)}")
    noticed = len(verdicts) - len(survivors)
    print(f"\n{noticed} of {len(verdicts)} mutations noticed ({noticed / len(verdicts):.0%}, asked: {ASKED:.0%})")
    return 0 if noticed >= ASKED * len(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
