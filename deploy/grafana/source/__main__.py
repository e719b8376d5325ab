"""`python -m deploy.grafana.source`: write the boards as Grafana reads them, one file each."""

from pathlib import Path

from deploy.grafana.source.boards import BOARDS, written

PLACE = Path("deploy/grafana/boards")

if __name__ == "__main__":
    for name, make in BOARDS.items():
        (PLACE / f"{name}.json").write_text(written(make()))
