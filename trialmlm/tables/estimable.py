"""The lines that say why a cell reads NE."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trialmlm.tables.order import Order


def not_estimable(order: Order, found: Iterable[tuple[str, str, str]]) -> tuple[str, ...]:
    """One footnote per reason, with the arms and visits it holds for.

    Parameters
    ----------
    order : Order
    found : iterable of (arm, visit, reason)
        As the table calls them; no visit where it has none, no reason where there is an estimate.
    """
    reasons: dict[str, dict[str, list[str]]] = {}
    for arm, visit, reason in found:
        if reason:
            reasons.setdefault(reason, {}).setdefault(arm, []).append(visit)
    text = order.numbers.not_estimable
    return tuple(f"{text}: {reason} for {_places(arms)}." for reason, arms in reasons.items())


def _places(arms: dict[str, list[str]]) -> str:
    return "; ".join(_place(arm, visits) for arm, visits in arms.items())


def _place(arm: str, visits: list[str]) -> str:
    named = ", ".join(visit for visit in visits if visit)
    return f"{arm} at {named}" if named else arm
