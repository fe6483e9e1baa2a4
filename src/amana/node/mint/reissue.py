"""`POST /v1/reissue` at the mint's origin: revoked e-cash for whoever shows how it was issued.

No address of the specifications: wallets that know nothing of it keep what they hold, and may ask
here at any time until the keyset's proofs are taken no more.
"""

from typing import Final

import msgspec

from amana.node.mint import shapes
from amana.node.mint.routes import Answer, Request, Route
from amana.purse.model import Refusal
from amana.purse.reissue import Issued, Reissue

REISSUE_PATH: Final = "/v1/reissue"
_FACTOR_BYTES: Final = 32


class IssuedBody(shapes.InputBody, kw_only=True):
    """A proof with the factor it was blinded with, in hex: what is otherwise never sent."""

    r: str


class ReissueBody(msgspec.Struct):
    """`POST /v1/reissue`."""

    inputs: list[IssuedBody]
    outputs: list[shapes.OutputBody]


_decoder: Final = msgspec.json.Decoder(ReissueBody)


def reissue_routes(reissue: Reissue) -> tuple[Route, ...]:
    """Return the address of the exchange."""

    async def post_reissue(request: Request) -> Answer:
        body = shapes.read(_decoder, request.body)
        inputs, outputs = shapes.read_inputs(body.inputs), shapes.read_outputs(body.outputs)
        if isinstance(inputs, Refusal):
            return inputs
        if isinstance(outputs, Refusal):
            return outputs
        shown = [
            Issued(proof, shapes.read_hex(each.r, _FACTOR_BYTES, "r"))
            for proof, each in zip(inputs, body.inputs, strict=True)
        ]
        given = await reissue.exchange(shown, outputs)
        return given if isinstance(given, Refusal) else shapes.write_signatures(given)

    return (Route("POST", REISSUE_PATH, post_reissue, is_kept=True),)
