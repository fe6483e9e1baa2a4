"""What goes in and what comes out of an exchange of revoked e-cash."""

from collections.abc import Sequence
from typing import Final

from amana.purse.model import BlindedMessage, Code, Proof, Refusal
from amana.purse.rules import operations
from amana.purse.rules.operations import Exchange, Keysets
from amana.purse.rules.refusals import plain

NOT_SHOWN: Final = Refusal(
    Code.PROOF_INVALID,
    "This e-cash is not of a revoked keyset, or was not shown to be issued. Nothing was spent.",
)


def decide_reissue(
    inputs: Sequence[Proof],
    outputs: Sequence[BlindedMessage],
    keysets: Keysets,
    *,
    now_s: int,
    grace_s: int,
) -> Exchange | Refusal:
    """Decide whether revoked proofs may be exchanged for these outputs; there is no fee.

    Args:
        inputs: Proofs of revoked keysets.
        outputs: Outputs of a keyset that signs.
        keysets: Every keyset of the list.
        now_s: Seconds since 1970.
        grace_s: Seconds after its expiry in which a keyset's proofs are still exchanged.
    """
    going_in = operations.read_inputs(inputs, keysets, now_s=now_s, grace_s=grace_s)
    if isinstance(going_in, Refusal):
        return going_in
    if not all(keysets[proof.keyset_id].is_revoked for proof in inputs):
        return NOT_SHOWN
    coming_out = operations.read_outputs(outputs, keysets)
    if isinstance(coming_out, Refusal):
        return coming_out
    if outputs and going_in.unit != coming_out.unit:
        return plain(Code.UNITS_DIFFER)
    if going_in.total != coming_out.total:
        return Refusal(
            Code.NOT_BALANCED,
            f"inputs ({going_in.total}) and outputs ({coming_out.total}) are not balanced",
        )
    return Exchange(going_in.claims, coming_out.blanks)
