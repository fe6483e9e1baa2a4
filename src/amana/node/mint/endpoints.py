"""What the mint answers at each address of the specifications."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

import msgspec

from amana.node.mint import shapes
from amana.node.mint.info import MintInfo, write_info
from amana.node.mint.routes import Answer, Request, Route
from amana.purse import limits
from amana.purse.auth import AUTH_UNIT
from amana.purse.model import Code, Keyset, RedeemQuote, Refusal
from amana.purse.rules.refusals import NO_QUOTE, plain
from amana.purse.service import Mint

_swap: Final = msgspec.json.Decoder(shapes.SwapBody)
_issue_quote: Final = msgspec.json.Decoder(shapes.IssueQuoteBody)
_issue: Final = msgspec.json.Decoder(shapes.IssueBody)
_redeem: Final = msgspec.json.Decoder(shapes.RedeemBody)
_states: Final = msgspec.json.Decoder(shapes.StatesBody)
_outputs: Final = msgspec.json.Decoder(shapes.OutputsBody)


class Endpoints:
    """Answers for one mint."""

    def __init__(self, mint: Mint, info: MintInfo) -> None:
        self._mint = mint
        self._info = write_info(info)
        self._issue_methods = sorted({one.method for one in info.issue})
        self._redeem_methods = sorted({one.method for one in info.redeem})
        self._listed: tuple[Keyset, ...] = ()
        self._keys = self._keysets = b""

    def routes(self) -> Iterator[Route]:
        """Every address of the specifications, one for each way to pay where they depend on it."""
        yield Route("GET", "/v1/info", self.get_info)
        yield Route("GET", "/v1/keys", self.get_keys)
        yield Route("GET", "/v1/keys/*", self.get_keys_of)
        yield Route("GET", "/v1/keysets", self.get_keysets)
        yield Route("POST", "/v1/swap", self.post_swap, is_kept=True)
        yield Route("POST", "/v1/checkstate", self.post_states)
        yield Route("POST", "/v1/restore", self.post_restore)
        yield from self._routes_of("mint", self._issue_methods)
        yield from self._routes_of("melt", self._redeem_methods)

    def _routes_of(self, word: str, methods: list[str]) -> Iterator[Route]:
        ask, find, act = {
            "mint": (self.post_issue_quote, self.get_issue_quote, self.post_issue),
            "melt": (self.post_redeem_quote, self.get_redeem_quote, self.post_redeem),
        }[word]
        for name in methods:
            quotes = f"/v1/{word}/quote/{name}"
            yield Route("POST", quotes, partial(ask, name))
            yield Route("GET", f"{quotes}/*", partial(find, name))
            yield Route("POST", f"/v1/{word}/{name}", partial(act, name), is_kept=True)

    async def get_info(self, _: Request) -> Answer:
        """Answer `GET /v1/info` (NUT-06)."""
        return self._info

    async def get_keys(self, _: Request) -> Answer:
        """Answer `GET /v1/keys` (NUT-01): the keysets that sign."""
        self._list()
        return self._keys

    async def get_keysets(self, _: Request) -> Answer:
        """Answer `GET /v1/keysets` (NUT-02): every keyset there ever was."""
        self._list()
        return self._keysets

    async def get_keys_of(self, request: Request) -> Answer:
        """Answer `GET /v1/keys/{id}` (NUT-02)."""
        wanted = request.tail.lower()
        found = [one for one in self._list() if one.id == wanted]
        if not found:
            return plain(Code.KEYSET_UNKNOWN)
        return shapes.write_keys(found)

    def _list(self) -> tuple[Keyset, ...]:
        """Return the keysets for money, and write their answers anew where the list changed."""
        keysets = self._mint.keysets()
        if keysets != self._listed or not self._keysets:
            self._listed = keysets
            self._keys = shapes.write_keys(
                one for one in keysets if one.is_active and one.unit != AUTH_UNIT
            )
            self._keysets = shapes.write_keysets(one for one in keysets if one.unit != AUTH_UNIT)
        return tuple(one for one in keysets if one.unit != AUTH_UNIT)

    async def post_swap(self, request: Request) -> Answer:
        """Answer `POST /v1/swap` (NUT-03)."""
        body = shapes.read(_swap, request.body)
        inputs = shapes.read_inputs(body.inputs)
        if isinstance(inputs, Refusal):
            return inputs
        outputs = shapes.read_outputs(body.outputs)
        if isinstance(outputs, Refusal):
            return outputs
        signatures = await self._mint.swap(inputs, outputs)
        return (
            signatures if isinstance(signatures, Refusal) else shapes.write_signatures(signatures)
        )

    async def post_issue_quote(self, method: str, request: Request) -> Answer:
        """Answer `POST /v1/mint/quote/{method}` (NUT-04)."""
        ask = shapes.read_issue_ask(shapes.read(_issue_quote, request.body))
        if isinstance(ask, Refusal):
            return ask
        quote = await self._mint.issue_quote(method, ask)
        return _shown(quote, shapes.issue_quote_view)

    async def get_issue_quote(self, method: str, request: Request) -> Answer:
        """Answer `GET /v1/mint/quote/{method}/{quote}` (NUT-04)."""
        quote_id = shapes.read_quote_id(request.tail)
        quote = None if quote_id is None else await self._mint.find_issue_quote(method, quote_id)
        return NO_QUOTE if quote is None else _shown(quote, shapes.issue_quote_view)

    async def post_issue(self, method: str, request: Request) -> Answer:
        """Answer `POST /v1/mint/{method}` (NUT-04, NUT-20)."""
        body = shapes.read(_issue, request.body)
        outputs = shapes.read_outputs(body.outputs)
        if isinstance(outputs, Refusal):
            return outputs
        quote_id = shapes.read_quote_id(body.quote)
        if quote_id is None:
            return NO_QUOTE
        signatures = await self._mint.issue(
            method,
            quote_id,
            outputs,
            quote_text=body.quote,
            signature=shapes.read_signature(body.signature),
        )
        return (
            signatures if isinstance(signatures, Refusal) else shapes.write_signatures(signatures)
        )

    async def post_redeem_quote(self, method: str, request: Request) -> Answer:
        """Answer `POST /v1/melt/quote/{method}` (NUT-05)."""
        ask = shapes.read_redeem_ask(request.body)
        quote = await self._mint.redeem_quote(method, ask)
        return _shown(quote, self._quote_view)

    async def get_redeem_quote(self, method: str, request: Request) -> Answer:
        """Answer `GET /v1/melt/quote/{method}/{quote}` (NUT-05)."""
        quote_id = shapes.read_quote_id(request.tail)
        quote = None if quote_id is None else await self._mint.find_redeem_quote(method, quote_id)
        return NO_QUOTE if quote is None else _shown(quote, self._quote_view)

    def _quote_view(self, quote: RedeemQuote) -> dict[str, Any]:
        """Show a quote with the fields of its method: whom it pays."""
        return shapes.redeem_quote_view(quote) | self._mint.fields(quote)

    async def post_redeem(self, method: str, request: Request) -> Answer:
        """Answer `POST /v1/melt/{method}` (NUT-05, NUT-08)."""
        body = shapes.read(_redeem, request.body)
        inputs = shapes.read_inputs(body.inputs)
        if isinstance(inputs, Refusal):
            return inputs
        outputs = shapes.read_outputs(body.outputs or ())
        if isinstance(outputs, Refusal):
            return outputs
        quote_id = shapes.read_quote_id(body.quote)
        if quote_id is None:
            return NO_QUOTE
        redeemed = await self._mint.redeem(
            method, quote_id, inputs, outputs=outputs, quote_text=body.quote
        )
        return _shown(redeemed, shapes.redeemed_view)

    async def post_states(self, request: Request) -> Answer:
        """Answer `POST /v1/checkstate` (NUT-07), in the order that was asked."""
        body = shapes.read(_states, request.body)
        points = [shapes.read_point(text) for text in body.Ys]
        states = await self._mint.states([point[1:] for point in points])
        if isinstance(states, Refusal):
            return states
        views = [shapes.state_view(*pair) for pair in zip(points, states, strict=True)]
        return shapes.write({"states": views})

    async def post_restore(self, request: Request) -> Answer:
        """Answer `POST /v1/restore` (NUT-09)."""
        body = shapes.read(_outputs, request.body)
        outputs = shapes.read_outputs(body.outputs, limits.RESTORE_OUTPUTS_MAX)
        if isinstance(outputs, Refusal):
            return outputs
        pairs = await self._mint.restore(outputs)
        return pairs if isinstance(pairs, Refusal) else shapes.write_restored(pairs)


def _shown(found: Any, view: Callable[[Any], object]) -> Answer:  # noqa: ANN401 - of any kind
    return found if isinstance(found, Refusal) else shapes.write(view(found))
