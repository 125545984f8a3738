"""What was measured, beside the goal that it should reach: printed as it comes, and summed up at the end."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Goal:
    """A bound on one figure."""

    at_least: float | None = None
    at_most: float | None = None

    def met(self, value: float) -> bool:
        return (self.at_least is None or value >= self.at_least) and (
            self.at_most is None or value <= self.at_most
        )

    def __str__(self) -> str:
        return f">= {self.at_least:,g}" if self.at_least is not None else f"<= {self.at_most:,g}"


@dataclass
class Report:
    """Collects the lines of one run."""

    missed: list[str] = field(default_factory=list)
    judged: int = 0

    def heading(self, text: str) -> None:
        print(f"\n{text}\n{'-' * len(text)}", flush=True)

    def line(
        self, what: str, product: str, bare: str = "", *, value: float | None = None, goal: Goal | None = None
    ) -> None:
        """One line: the product's figure, the bare one's, and what is judged by the goal."""
        judged = "" if value is None else f"{value:8.2f}"
        verdict = ""
        if goal is not None and value is not None:
            self.judged += 1
            met = goal.met(value)
            verdict = f"goal {goal}: {'met' if met else 'MISSED'}"
            if not met:
                self.missed.append(f"{what}: {value:,.2f}, goal {goal}")
        print(f"{what:44} {product:>22} {bare:>22} {judged:>9}  {verdict}".rstrip(), flush=True)

    def columns(self, product: str = "reviewqueue", bare: str = "bare", value: str = "ratio") -> None:
        print(f"{'':44} {product:>22} {bare:>22} {value:>9}", flush=True)

    def close(self) -> None:
        self.heading(f"{self.judged - len(self.missed)} of {self.judged} goals met")
        for missed in self.missed:
            print(f"missed: {missed}", flush=True)
