"""Saying in one line what was asked and what was answered, for a trace to be read by people."""

from amana.kernel import AmanaId
from amana.payments.model import IdReused, Order, Payment, Refused, Step
from amana.testing.simulator._node import Answer, Request

_ID_DIGITS_SHOWN = 6
_KEY_BYTES_SHOWN = 2


def short(identifier: AmanaId | None) -> str:
    """Write the end of an id, which tells it from all others of a world."""
    if identifier is None:
        return "nobody"
    return f"{identifier >> 8:x}"[-_ID_DIGITS_SHOWN:]


def say_request(number: int, request: Request) -> str:
    """Say what an operation asks."""
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
            return str(answer)
