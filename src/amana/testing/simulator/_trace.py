"""Saying in one line what was asked and what was answered, for a trace to be read by people."""

from amana.kernel import AmanaId
from amana.payments.model import IdReused, Order, Payment, Refused, Step
from amana.purse.model import Redeemed, RedeemQuote, Refusal
from amana.purse.standing import Refill
from amana.testing.simulator._node import Answer, Asked
from amana.testing.simulator._purse_node import PurseRequest

_ID_DIGITS_SHOWN = 6
_KEY_BYTES_SHOWN = 2
_SECRET_SHOWN = 4


def short(identifier: AmanaId | None) -> str:
    """Write the end of an id, which tells it from all others of a world."""
    if identifier is None:
        return "nobody"
    return f"{identifier >> 8:x}"[-_ID_DIGITS_SHOWN:]


def _say_purse(number: int, request: PurseRequest) -> str:
    words = [f"#{number}", request.ask.name, f"by {short(request.initiator)}"]
    if request.inputs:
        coins = [f"{p.secret[:_SECRET_SHOWN]}:{p.amount}" for p in request.inputs]
        words.append(f"of {' '.join(coins)}")
    if request.outputs:
        words.append(f"for {len(request.outputs)} outputs")
    if request.quote:
        words.append(f"quote {request.quote.hex()[:_SECRET_SHOWN]}")
    if request.target:
        words.append(f"to {request.target[-_ID_DIGITS_SHOWN:]}")
    return " ".join(words)


def say_request(number: int, request: Asked) -> str:
    """Say what an operation asks."""
    if isinstance(request, PurseRequest):
        return _say_purse(number, request)
    words = [f"#{number}", request.ask.name, f"by {short(request.initiator)}"]
    if request.subject is not None:
        words.append(f"about {short(request.subject)}")
    if request.payee is not None:
        words.append(f"to {short(request.payee)}")
    if request.amount is not None:
        words.append(f"of {request.amount}")
    if request.tip:
        words.append(f"and a tip of {request.tip}")
    if request.is_manual:
        words.append("to be captured")
    return f"{' '.join(words)}, key {request.key[:_KEY_BYTES_SHOWN].hex()}"


def say_answer(number: int, answer: Answer) -> str:
    """Say what an operation was told."""
    return f"#{number} {_say(answer)}"


def _say(answer: Answer) -> str:
    match answer:
        case Payment():
            ending = f" ({answer.reason})" if answer.reason else ""
            money = f"{answer.total}, fee {answer.fee}"
            return f"{answer.kind.name} {short(answer.id)} of {money}: {answer.status.name}{ending}"
        case (Payment() as payment, Step() as step):
            ending = f" ({step.reason})" if step.reason else ""
            did = f"{step.kind.name} {step.number} of {step.amount}: {step.status.name}{ending}"
            return f"{did}; {_say(payment)}"
        case Order():
            state = "open" if answer.cancelled_at is None else "cancelled"
            return f"ORDER {short(answer.id)} of {answer.amount}: {state}"
        case Refused():
            return f"refused: {answer.reason}"
        case IdReused():
            return "the key belongs to another request"
        case _:
            return _say_of_purse(answer)


def _say_of_purse(answer: Answer) -> str:
    match answer:
        case Redeemed():
            return f"paid, and {sum(one.amount for one in answer.change)} in change"
        case RedeemQuote():
            return f"quote {answer.id.hex()[:_SECRET_SHOWN]} of {answer.amount}"
        case Refusal():
            return f"refused: {answer.code.name}"
        case Refill():
            return f"refill of {answer.amount}: {answer.state.name}"
        case tuple():
            return f"{len(answer)} parts"
        case list():
            return f"a list of {len(answer)}"
        case _:
            return str(answer)
