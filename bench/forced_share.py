"""How many tokens of replies our engine would not have to sample."""

from __future__ import annotations

from collections.abc import Sequence

from homellm_edge.grammar.constraint import Constraints
from vocabulary import GgufVocabulary


def forced_share(
    vocabulary: GgufVocabulary, grammar: str, replies: Sequence[str]
) -> float:
    """Share of the replies' tokens that `Constraint.forced` gives."""
    constraints = Constraints(vocabulary.ours)
    sampled = total = 0
    for reply in replies:
        tokens = vocabulary.tokenize(reply.encode()).tolist()
        constraint = constraints.begin(grammar)
        written = list(constraint.forced([], 0))
        while len(written) < len(tokens):
            token = tokens[len(written)]
            constraint.accept(token)
            sampled += 1
            run = constraint.forced([*written, token], len(written))
            written += run or [token]
        assert written == tokens, reply
        total += len(tokens)
    return 1 - sampled / total
