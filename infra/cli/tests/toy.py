"""A service as the supervisor knows them: answers `/health/ready`, ends on SIGTERM, and fails as it is told.

`python -m infra.cli.tests.toy PORT FOLDER`: while FOLDER holds `unready` it is not ready, while it holds
`broken` it ends at once, while it holds `stubborn` it ignores SIGTERM. It notes its end in `FOLDER/ended`.
"""

import json
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


class Health(BaseHTTPRequestHandler):
    folder: Path

    def do_GET(self) -> None:
        waiting = ["a friend"] if (self.folder / "unready").exists() else []
        self.send_response(503 if waiting else 200)
        self.end_headers()
        self.wfile.write(json.dumps({"waiting_for": waiting}).encode())


def main(port: int, folder: Path) -> None:
    name = folder.name
    if (folder / "broken").exists():
        sys.exit("the disk of this toy is broken")

    def asked_to_end(*_: object) -> None:
        if not (folder / "stubborn").exists():
            with (folder.parent / "ended").open("a") as ended:
                ended.write(f"{name}\n")
            sys.exit(0)

    signal.signal(signal.SIGTERM, asked_to_end)
    Health.folder = folder
    with HTTPServer(("127.0.0.1", port), Health) as server:
        server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
