"""What `tiergate spend` shows: rows of the ledger's records, as a table, CSV or JSON."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.access.records import looked_up
from gateway.access.statements import Row, as_csv, month_of, spend_rows, total_row
from gateway.errors import InvalidValue
from gateway.holds import SpendQuery, Spent
from gateway.principal import KeyRecord

DAYS_BACK = re.compile(r"(\d{1,4})d")


def days(said: Mapping[str, str], *, today: date) -> tuple[date, date]:
    """The first and the last day that are asked for.

    Raises:
        InvalidValue: a day is none, or they are the wrong way round.
    """
    until = _day(said["until"], "--until", today) or today
    since = _day(said["since"], "--since", today) or month_of(until)
    if since > until:
        message = "--since must not be after --until."
        raise InvalidValue(message)
    return since, until


def query(
    said: Mapping[str, str],
    records: Sequence[KeyRecord],
    *,
    days: tuple[date, date],
    limit: int,
) -> SpendQuery:
    """What is asked for; one row more than the limit tells whether there are more.

    Raises:
        NotFound: there is no such key.
    """
    key = looked_up(said["key"], records).id if said["key"] else ""
    return SpendQuery(*days, said["organisation"], said["team"], key, limit + 1)


def _day(said: str, option: str, today: date) -> date | None:
    if not said:
        return None
    if back := DAYS_BACK.fullmatch(said):
        return today - timedelta(days=int(back[1]))
    try:
        return date.fromisoformat(said)
    except ValueError:
        message = f"{option} must be a day such as 2026-11-01, or 7d for a week back."
        raise InvalidValue(message) from None


def show(out: Console, spent: Sequence[Spent], records: Sequence[KeyRecord], *, form: str) -> None:
    """Print the rows."""
    rows = spend_rows(spent, {record.id: record.name for record in records})
    if form == "csv":
        out.file.write(as_csv(rows))
    elif form == "json":
        whole = {"data": rows, "total": total_row(spent)}
        out.file.write(json.dumps(whole, indent=2) + "\n")
    else:
        out.print(table(rows, total_row(spent)))


def table(rows: Sequence[Row], total: Row) -> Table:
    """Rows and their sums for people."""
    made = Table(box=None, pad_edge=False, collapse_padding=True, show_footer=bool(rows))
    made.add_column("day", "total", no_wrap=True)
    # Where there is little room names are folded; figures never are.
    for title in ("team", "key", "model"):
        made.add_column(title, overflow="fold")
    made.add_column("tier", no_wrap=True)
    cells = [_figures(row) for row in rows]
    for title, sums in _figures(total).items():
        made.add_column(title, sums, justify="right", no_wrap=True)
    for row, figures in zip(rows, cells, strict=True):
        made.add_row(
            row["day"],
            Text(row["team"] or "–"),
            Text(row["key_name"] or row["key"] or "–"),
            Text(row["model"]),
            row["tier"],
            *figures.values(),
        )
    return made


def _figures(row: Row) -> dict[str, str]:
    return {
        "calls": f"{row['calls']:,}",
        "prompt": f"{row['prompt_tokens']:,}",
        "answer": f"{row['completion_tokens']:,}",
        "cost": f"${row['cost_usd']}",
        "saved": f"${row['saved_usd']}",
    }
