"""dlt's side of the pull, run by dlt's own interpreter: `python rival_dlt.py ROWS_FILE CREDENTIALS`.

Reads the rows as the source's answers hold them, already decoded, then merges them twice. Prints the seconds of both.
"""

from __future__ import annotations

import json
import sys
import time

import dlt  # type: ignore[import-not-found, unused-ignore]


def main() -> None:
    """Merges the rows into an empty dataset, and the same rows again."""
    with open(sys.argv[1], encoding="utf-8") as file:
        rows = [row for line in file for row in json.loads(line)]
    pipeline = dlt.pipeline(
        "rival", destination=dlt.destinations.postgres(credentials=sys.argv[2]), dataset_name="rival"
    )
    seconds = []
    for _ in range(2):
        given = dlt.resource(rows, name="invoice", primary_key="id", write_disposition="merge")
        began = time.perf_counter()
        pipeline.run(given)
        seconds.append(time.perf_counter() - began)
    sys.stdout.write(json.dumps({"rows": len(rows), "seconds": seconds}) + "\n")


if __name__ == "__main__":
    main()
