"""What all operators have in common: how FiftyOne knows them, and when they refuse."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import fiftyone.operators as foo
from fiftyone.operators import types

from .context import ICON
from .refusals import refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """How an operator is shown; `description` is for people and for agents."""

    name: str
    label: str
    description: str
    risk: str
    submit: str
    streams: bool = False
    delegable: bool = True
    targets_samples: bool = True


class Step(foo.Operator, ABC):
    """An operator with a form of its own."""

    card: ClassVar[Card]

    @property
    def config(self) -> foo.OperatorConfig:
        """Describe the operator to FiftyOne."""
        card = self.card
        return foo.OperatorConfig(
            name=card.name,
            label=card.label,
            description=card.description,
            icon=ICON,
            dynamic=True,
            execute_as_generator=card.streams,
            allow_delegated_execution=card.delegable,
            risk_level=types.RiskLevel[card.risk],
            view_target=card.targets_samples,
        )

    def resolve_input(self, ctx: foo.ExecutionContext) -> types.Property:
        """Draw the form, or say what is in its way."""
        inputs = refusal(ctx) or self.form(ctx)
        view = types.PromptView(
            label=self.card.label, submit_button_label=self.card.submit
        )
        return types.Property(inputs, view=view)

    @abstractmethod
    def form(self, ctx: foo.ExecutionContext) -> types.Object:
        """Draw the form; a dataset is open."""


def table_of(
    outputs: types.Object, name: str, columns: dict[str, str], label: str = ""
) -> None:
    """Show a list of the result as a table."""
    table = types.TableView()
    for key, title in columns.items():
        table.add_column(key, label=title)
    outputs.list(name, types.Object(), view=table, label=label or None)
