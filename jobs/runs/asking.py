"""How a run asks its sources: as it goes along or, in a rehearsal, before it holds anything.

A rehearsal keeps the locks of what it wrote until it ends, so that a source must not be asked meanwhile. Where it needs
an answer that is not there yet, it is rolled back, the source is asked, and it starts over with the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, nullcontext, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from sqlalchemy import Engine

if TYPE_CHECKING:
    from materializer.snapshot.pulls import Key, Pulled, Spool

Answer = TypeVar("Answer")


class Closable(Protocol):
    def close(self) -> None: ...


Connected = TypeVar("Connected", bound=Closable)


class Asking:
    """Asks as the run goes along."""

    def answer(self, question: str, ask: Callable[[], Answer]) -> Answer:
        """What `ask` returns; `question` is its name in the run. Raises what `ask` raises."""
        return ask()

    def pull(self, stream: str, ask: Callable[[], Pulled]) -> Pulled:
        """A pull of the stream, whose spool is the caller's to close."""
        return ask()

    def all_of(self, questions: Sequence[Callable[[], object]]) -> None:
        """Says which questions come next, where it is of use to have them asked together."""

    def using(self, source: Connected) -> AbstractContextManager[Connected]:
        """The source for the block, closed when nothing will be asked of it any more."""
        return closing(source)


AS_IT_GOES = Asking()


class NotAskedYet(BaseException):
    """What a rehearsal needs to be asked before it can go on."""

    def __init__(self, *asks: Callable[[], None]) -> None:
        super().__init__("a source is to be asked outside the rehearsal")
        self.asks = asks


class AskingAhead(Asking):
    """Has answers only to what was asked outside the rehearsal. Close it when the rehearsal has ended."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._answers: dict[str, Any] = {}
        self._open = ExitStack()

    def close(self) -> None:
        self._open.close()

    def answer(self, question: str, ask: Callable[[], Answer]) -> Answer:
        if question not in self._answers:
            raise NotAskedYet(lambda: self._ask(question, ask))
        kept: Answer | Exception = self._answers[question]
        if isinstance(kept, Exception):
            raise kept
        return kept

    def pull(self, stream: str, ask: Callable[[], Pulled]) -> Pulled:
        kept = self.answer(stream, lambda: self._keep(ask))
        merged = dict(kept.merged)
        lent = replace(kept.pulled, spool=_Lent(kept.pulled.spool), merged=merged)
        confirm_gone = kept.pulled.confirm_gone
        if confirm_gone is None:
            return lent

        def ask_gone(keys: Collection[Key]) -> set[Key]:
            gone = self.answer(f"{stream} gone", lambda: (confirm_gone(keys), dict(kept.pulled.merged)))
            merged.update(gone[1])
            return {key for key in keys if key in gone[0]}

        return replace(lent, confirm_gone=ask_gone)

    def all_of(self, questions: Sequence[Callable[[], object]]) -> None:
        asks: list[Callable[[], None]] = []
        for question in questions:
            try:
                with suppress(Exception):  # it is raised again where the answer is needed
                    question()
            except NotAskedYet as missing:
                asks += missing.asks
        if asks:
            raise NotAskedYet(*asks)

    def using(self, source: Connected) -> AbstractContextManager[Connected]:
        return nullcontext(source)

    def _ask(self, question: str, ask: Callable[[], Any]) -> None:
        try:
            self._answers[question] = answer = ask()
        except Exception as error:  # noqa: BLE001  raised again where the answer is needed
            self._answers[question] = error
        else:
            if hasattr(answer, "close"):
                self._open.callback(answer.close)

    def _keep(self, ask: Callable[[], Pulled]) -> _Kept:
        from materializer.snapshot import readings

        with self._engine.connect() as connection:
            began_at = readings.clock(connection)
        pulled = replace(ask(), began_at=began_at)
        return _Kept(pulled, dict(pulled.merged))


@dataclass(frozen=True)
class _Kept:
    """A pull, and the merges it knew before any look-up added to them."""

    pulled: Pulled
    merged: dict[str, str] = field(default_factory=dict)

    def close(self) -> None:
        self.pulled.spool.close()


class _Lent:
    """A spool that outlives the attempt that read it."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self.rows = spool.rows
        self.windows = spool.windows

    def close(self) -> None:
        """Left to whoever keeps the pull."""
